// Loss curves of several runs as the rows of one chart. Each run's place in the list decides its style, so that colour, dash and marker
// agree. Pure.

import { MovingAverage, type Column } from '../../store/run/columns';
import type { RunMetrics } from '../../store/run/metrics';
import type { EvalPoint } from '../../store/run/run';

export interface OverlayRun {
  readonly name: string;
  readonly metrics: RunMetrics;
  readonly evals: readonly EvalPoint[];
  /** 0 to 5. */
  readonly style: number;
}

/** Smoothed losses by style, of the runs that have made this step. */
export type OverlayRow = { readonly step: number } & Readonly<Record<`loss${number}`, number>>;

export const lossKey = (style: number): `loss${number}` => `loss${style}`;

/** By style: the dash of the line, as stroke-dasharray. */
export const DASHES = ['none', '7 3', '2 3', '10 3 2 3', '5 2', '1 4'] as const;

/** By style: the outline of the mark at an evaluation, around the origin. */
export const MARKERS = [
  'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0',
  'M-3.5 -3.5h7v7h-7z',
  'M0 -5l4.6 8h-9.2z',
  'M0 -5l5 5l-5 5l-5 -5z',
  'M0 5l4.6 -8h-9.2z',
  'M-4 -4l8 8M-4 4l8 -8',
] as const;

/** A chart of more points is slower and looks the same. */
const MOST_ROWS = 300;

/** The smoothed loss after the last step. */
export const lastLoss = ({ metrics }: OverlayRun): number => new MovingAverage(metrics.loss).follow().last;

/** At evenly spread steps, and at the last one of every run. */
export function overlayRows(runs: readonly OverlayRun[]): OverlayRow[] {
  const drawn = runs.filter(({ metrics }) => metrics.step.length > 0);
  if (drawn.length === 0) return [];
  const first = Math.min(...drawn.map(({ metrics }) => metrics.step.at(0)));
  const last = Math.max(...drawn.map(({ metrics }) => metrics.step.last));
  const count = Math.min(MOST_ROWS, last - first + 1);
  const steps = new Set(drawn.map(({ metrics }) => metrics.step.last));
  for (let i = 0; i < count; i++) steps.add(count === 1 ? first : Math.round(first + (i * (last - first)) / (count - 1)));
  const smoothed = drawn.map(({ metrics }) => new MovingAverage(metrics.loss).follow());
  return [...steps]
    .sort((a, b) => a - b)
    .map((step) => {
      const losses = drawn.flatMap(({ metrics, style }, i): [string, number][] => {
        const at = indexOf(metrics.step, step);
        const loss = at === null ? NaN : smoothed[i].at(at);
        return Number.isFinite(loss) ? [[lossKey(style), loss]] : [];
      });
      return { step, ...Object.fromEntries(losses) };
    });
}

/** Where an ascending column has this value. */
function indexOf(column: Column, value: number): number | null {
  let [low, high] = [0, column.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = column.at(middle);
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}
