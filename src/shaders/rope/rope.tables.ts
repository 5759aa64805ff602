// Tables of cosines and sines for rotary position embedding, computed in float64 on the host because WGSL
// promises only 2⁻¹¹ for sin and cos. Pure.

export interface RopeTables {
  /** [positions, frequencies], row-major. */
  readonly cos: Float32Array<ArrayBuffer>;
  readonly sin: Float32Array<ArrayBuffer>;
}

/** length · cos and length · sin of position · frequency, for positions from 0. There are headDim / 2 frequencies, in radians per position. */
export function ropeTables(frequencies: ArrayLike<number>, positions: number, length = 1): RopeTables {
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    for (let position = 0; position < positions; position++) {
      cos[position * half + i] = length * Math.cos(position * frequencies[i]);
      sin[position * half + i] = length * Math.sin(position * frequencies[i]);
    }
  }
  return { cos, sin };
}
