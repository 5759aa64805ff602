// Tables of cosines and sines for rotary position embedding, computed in float64 on the host because WGSL
// promises only 2⁻¹¹ for sin and cos. Pure.

import { AppError } from '../errors';

export interface RopeTables {
  /** [positions, headDim / 2], row-major. */
  readonly cos: Float32Array<ArrayBuffer>;
  readonly sin: Float32Array<ArrayBuffer>;
}

export interface RopeTableOptions {
  readonly headDim: number;
  readonly theta: number;
  /** Rows of the tables: one more than the largest position. */
  readonly positions: number;
  /** Radians a position, headDim / 2 of them, in place of theta^(−2i / headDim) (scaled variants of RoPE). */
  readonly invFreq?: ArrayLike<number>;
}

/**
 * cos and sin of position · invFreq[i]; invFreq[i] = theta^(−2i / headDim) unless given (RoFormer,
 * arXiv 2104.09864). Throws MODEL_CONFIG for an odd head dim or frequencies of another length.
 */
export function ropeTables({ headDim, theta, positions, invFreq }: RopeTableOptions): RopeTables {
  const half = headDim / 2;
  if (!Number.isInteger(half) || half < 1) {
    throw new AppError('MODEL_CONFIG', `Rotary positions need an even head dim; this model has ${headDim}.`, 'Choose another model.');
  }
  if (invFreq && invFreq.length !== half) {
    throw new AppError(
      'MODEL_CONFIG',
      `Rotary positions: ${invFreq.length} frequencies for a head dim of ${headDim}.`,
      'Choose another model.',
    );
  }
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const frequency = invFreq ? invFreq[i] : theta ** (-(2 * i) / headDim);
    for (let position = 0; position < positions; position++) {
      cos[position * half + i] = Math.cos(position * frequency);
      sin[position * half + i] = Math.sin(position * frequency);
    }
  }
  return { cos, sin };
}
