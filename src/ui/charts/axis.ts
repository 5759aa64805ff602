// The step axis that all charts of a run share, and the axes of values. Step s fills (s − 1, s]. What is known after s updates
// is drawn at s, so the evaluation before the first step is at 0. Pure.

/** Pixels left and right of the plot, the same in all charts. */
export const GUTTER = { left: 56, right: 44 } as const;

/** Pixels for the steps in a chart of this width. */
export const plotWidth = (width: number): number => Math.max(0, width - GUTTER.left - GUTTER.right);

/** Round numbers from 0 to the last step, about `wanted` of them. */
export function stepTicks(steps: number, wanted: number): number[] {
  const raw = steps / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
  const size = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw) ?? 1;
  const ticks: number[] = [];
  for (let tick = 0; tick <= steps; tick += size) ticks.push(tick);
  return ticks;
}

/** How many labels fit on the step axis; on a narrow one they may be closer together. */
export const stepLabels = (inner: number): number => inner / (inner < 480 ? 56 : 90);

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

/** Round ticks between two positive bounds: 1, 2 and 5 times each power of ten, or only the powers if there are many. */
export function logTicks(low: number, high: number, wanted: number): number[] {
  // Within less than a power of ten, these would be too few.
  if (high / low < 8) return valueTicks(low, high, wanted).filter((tick) => tick >= low && tick <= high);
  const powers = Math.log10(high / low);
  const factors = powers * 3 <= 2 * wanted ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)));
  }
  const within = ticks.filter((tick) => tick >= low && tick <= high);
  return within.length <= 2 * wanted ? within : within.filter((_, i) => i % Math.ceil(within.length / wanted) === 0);
}

/** An axis of values: the place of each value, and the values that have a mark. */
export interface ValueAxis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** 0 at the low end, 1 at the high end. Values outside give numbers outside. NaN gives NaN, and so does a value ≤ 0 on a log axis. */
  readonly share: (value: number) => number;
}

/** Round bounds around the data. */
export function linearAxis(low: number, high: number, wanted: number): ValueAxis {
  const ticks = valueTicks(low, high, wanted);
  const from = ticks[0] ?? 0;
  const to = ticks.at(-1) ?? 1;
  return { low: from, high: to, ticks: Number.isFinite(low) ? ticks : [], share: (value) => (value - from) / (to - from) };
}

/** Bounds on a grid of a twentieth of a power of ten, so that they rarely change. Round bounds would waste half the axis. */
export function logAxis(low: number, high: number, wanted: number): ValueAxis {
  if (!(low > 0) || !Number.isFinite(high)) return { low: 1, high: 10, ticks: [], share: () => NaN };
  const first = Math.floor(Math.log10(low) * 20);
  const from = 10 ** (first / 20);
  const to = 10 ** (Math.max(first + 1, Math.ceil(Math.log10(high) * 20)) / 20);
  const span = Math.log(to / from);
  return { low: from, high: to, ticks: logTicks(from, to, wanted), share: (value) => (value > 0 ? Math.log(value / from) / span : NaN) };
}
