// Angular frequencies of rotary position embeddings, plain and scaled, in float64: as in Hugging Face's modeling_rope_utils.

import type { Rope } from './types';

/** Radians a position of each pair of a head, headDim / 2 of them: theta^(−2i / headDim) (RoFormer, arXiv 2104.09864), scaled. */
export function ropeFrequencies({ theta, scaling }: Rope, headDim: number): Float64Array<ArrayBuffer> {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  if (scaling === null) return plain;
  const { factor } = scaling;
  if (scaling.type === 'linear') return plain.map((frequency) => frequency / factor);
  const { lowFreqFactor: low, highFreqFactor: high, originalPositions } = scaling;
  return plain.map((frequency) => {
    // Turns within the length that the model saw before scaling: at least `high` stay, at most `low` are divided.
    const turns = (originalPositions * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return frequency * (kept + (1 - kept) / factor);
  });
}
