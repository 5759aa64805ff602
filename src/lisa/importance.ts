// Layer weights p_l: where they come from, and how they are prepared for drawing. Pure. Sources: the paper's ratio of mean
// weight norms (arXiv 2403.17919, section 3), gradient norms, or a person.

import { AppError } from '../base/errors';

/** ε: no layer's weight falls below this share of the mean weight, so that every layer is reached in time. */
const WEIGHT_FLOOR = 0.01;

/** Weights divided by their sum. Throws CONFIG_INVALID if one is negative or not a number, or if all are zero. */
export function normalise(weights: readonly number[]): number[] {
  if (!weights.every((w) => Number.isFinite(w) && w >= 0)) {
    throw new AppError('CONFIG_INVALID', 'A layer weight is negative or not a number.', 'Give one number ≥ 0 per layer.');
  }
  // Divided by the largest first: a sum of huge numbers overflows.
  const largest = Math.max(0, ...weights);
  if (largest === 0) throw new AppError('CONFIG_INVALID', 'All layer weights are zero.', 'Give at least one weight above zero.');
  const scaled = weights.map((w) => w / largest);
  const sum = scaled.reduce((total, w) => total + w, 0);
  return scaled.map((w) => w / sum);
}

/** Normalised weights, none below floor / L before they are normalised again. Weights above the floor keep their ratios. */
export function withFloor(weights: readonly number[], floor = WEIGHT_FLOOR): number[] {
  return normalise(normalise(weights).map((p) => Math.max(p, floor / weights.length)));
}

/** Mean by layer over steps; rows[s][l] is what was measured of layer l at step s, null where it was not. Null: never measured. */
export function meanByLayer(rows: readonly (readonly (number | null)[])[]): (number | null)[] {
  const layers = rows[0]?.length ?? 0;
  return Array.from({ length: layers }, (_, layer) => {
    const measured = rows.map((row) => row[layer]).filter((value) => value !== null);
    return measured.length > 0 ? measured.reduce((sum, value) => sum + value, 0) / measured.length : null;
  });
}

/**
 * The paper's rule: p_l is the mean weight norm of layer l under LoRA over the same under full training, both
 * averaged over steps. One number per layer each; normalised.
 */
export function fromNormRatios(lora: readonly number[], full: readonly number[]): number[] {
  if (lora.length !== full.length) {
    throw new AppError(
      'CONFIG_INVALID',
      `${lora.length} norms under LoRA, ${full.length} under full training.`,
      'Measure both on the same model.',
    );
  }
  return normalise(lora.map((norm, layer) => norm / full[layer]));
}

/**
 * p_l proportional to the norm of the layer's gradient. Only drawn layers have a gradient: a layer not measured
 * yet (null) counts as the mean of the measured ones, so that it is neither starved nor favoured.
 */
export function fromGradientNorms(norms: readonly (number | null)[]): number[] {
  const measured = norms.filter((norm) => norm !== null);
  const mean = measured.length > 0 ? measured.reduce((sum, norm) => sum + norm, 0) / measured.length : 1;
  return normalise(norms.map((norm) => norm ?? mean));
}
