// The step axis that the loss chart, the raster and the memory timeline share. Step s fills (s − 1, s]; what is
// known after s updates stands at s, so the evaluation before the first step stands at 0. Pure.

/** Pixels left and right of the plot, the same in all three. */
export const GUTTER = { left: 56, right: 44 } as const;

/** Round numbers from 0 to the last step, about `wanted` of them. */
export function stepTicks(steps: number, wanted: number): number[] {
  const raw = steps / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
  const size = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw) ?? 1;
  const ticks: number[] = [];
  for (let tick = 0; tick <= steps; tick += size) ticks.push(tick);
  return ticks;
}

/** Bounds and round ticks for an axis of values. Equal or missing bounds give a small range around them. */
export function valueTicks(low: number, high: number, wanted: number): number[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const span = high - low || Math.abs(high) || 1;
  const raw = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const size = ([1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999) ?? power) || 1;
  const first = Math.floor(low / size);
  const last = Math.max(first + 1, Math.ceil(high / size));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * size).toPrecision(12)));
}
