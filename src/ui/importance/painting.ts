// Where a pointer paints, and what. Pure.

export const MOST_WEIGHT = 10;
/** What every layer has before somebody paints. */
const EVEN = 5;

export const evenWeights = (layers: number): number[] => Array.from({ length: layers }, () => EVEN);

/** Whether these weights can be painted on: one for each layer, whole, within the bars. */
export const isPaintable = (weights: readonly number[] | null, layers: number): weights is readonly number[] =>
  weights?.length === layers && weights.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT);

/** The row under a pointer, from 0 at the top; beyond the ends, the first or the last. */
export const rowAt = (y: number, height: number, rows: number): number => Math.max(0, Math.min(rows - 1, Math.floor((y / height) * rows)));

/** The weight under a pointer, from 0 at the left. */
export const valueAt = (x: number, width: number): number =>
  Math.max(0, Math.min(MOST_WEIGHT, Math.round((x / Math.max(1, width)) * MOST_WEIGHT)));

/** Null if nothing changes. */
export function changed(weights: readonly number[], layer: number, weight: number): number[] | null {
  return weights[layer] === weight ? null : weights.map((old, at) => (at === layer ? weight : old));
}
