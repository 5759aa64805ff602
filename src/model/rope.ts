// Angular frequencies of rotary position embeddings, plain and scaled, in float64: as in Hugging Face's modeling_rope_utils.

import type { Rope } from './types';

/** Radians a position of each pair of a head, headDim / 2 of them: theta^(−2i / headDim) (RoFormer, arXiv 2104.09864), scaled. */
export function ropeFrequencies({ theta, scaling }: Rope, headDim: number): Float64Array<ArrayBuffer> {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  if (scaling === null) return plain;
  const { factor } = scaling;
  if (scaling.type === 'linear') return plain.map((frequency) => frequency / factor);
  if (scaling.type === 'yarn') {
    // The pair that turns so many times within the length before scaling, as a number between two pairs.
    const pairOf = (turns: number): number =>
      (headDim * Math.log(scaling.originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
    const first = Math.max(0, Math.floor(pairOf(scaling.betaFast)));
    const last = Math.min(headDim - 1, Math.ceil(pairOf(scaling.betaSlow)));
    const span = first === last ? 0.001 : last - first;
    return plain.map((frequency, i) => {
      const divided = Math.min(1, Math.max(0, (i - first) / span));
      return frequency * (1 - divided + divided / factor);
    });
  }
  const { lowFreqFactor: low, highFreqFactor: high, originalPositions } = scaling;
  return plain.map((frequency) => {
    // Turns within the length that the model saw before scaling: at least `high` stay, at most `low` are divided.
    const turns = (originalPositions * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return frequency * (kept + (1 - kept) / factor);
  });
}

/** What the tables of cosines and sines are multiplied by. */
export const ropeLength = ({ scaling }: Rope): number => (scaling?.type === 'yarn' ? scaling.attentionFactor : 1);
