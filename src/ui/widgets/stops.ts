// The values that sliders stop at: close together where small changes matter, far apart where they do not. Pure.

/** Index of the stop that is nearest by ratio; the first one if the value is not a positive number. */
export function nearestStop(stops: readonly number[], value: number): number {
  if (!(value > 0)) return 0;
  const distance = (stop: number): number => Math.abs(Math.log(stop / value));
  return stops.reduce((best, stop, at) => (distance(stop) < distance(stops[best]) ? at : best), 0);
}

const upTo = (stops: readonly number[], max: number): number[] => {
  const inside = stops.filter((stop) => stop < max);
  return [...inside, max];
};

/** γ: every number of layers. */
export const layerStops = (layers: number): number[] => Array.from({ length: Math.max(1, layers) }, (_, i) => i + 1);

const decades = (steps: readonly number[], from: number, to: number): number[] => {
  const list: number[] = [];
  for (let power = from; power <= to; power *= 10) list.push(...steps.map((step) => step * power));
  return list;
};

/** K: from every step to one period for the whole run. */
export const periodStops = (steps: number): number[] =>
  steps >= 1 ? upTo([1, 2, 3, 4, 5, 7, ...decades([1, 1.5, 2, 3, 5, 7], 10, 1e6)], Math.floor(steps)) : [1];

/** Powers of two and the half-way points between them. */
function octaves(first: number, max: number): number[] {
  const list: number[] = [];
  for (let power = first; power <= max; power *= 2) list.push(power, power * 1.5);
  return list;
}

/** T: up to the model's positions. */
export const lengthStops = (positions: number): number[] => upTo(octaves(16, positions), positions);

export const BATCH_STOPS: readonly number[] = [1, 2, 3, ...octaves(4, 64)].filter((batch) => batch <= 64);

/** Bytes of a budget: quarters of an octave. */
export function budgetStops(min: number, max: number): number[] {
  const count = Math.round(4 * Math.log2(max / min));
  return Array.from({ length: count + 1 }, (_, i) => Number((min * 2 ** (i / 4)).toPrecision(2)));
}
