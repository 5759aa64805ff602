// Loss curves of several runs in one chart: paths in pixels, on axes that hold them all. Each run's place in the list decides
// its style, so that colour, dash and marker agree. Pure.

import { MovingAverage } from '../../store/run/columns';
import type { RunMetrics } from '../../store/run/metrics';
import type { EvalPoint } from '../../store/run/run';
import { linePath } from '../card/card-charts';
import { stepTicks, valueTicks } from '../charts/axis';

export interface OverlayRun {
  readonly name: string;
  readonly metrics: RunMetrics;
  readonly evals: readonly EvalPoint[];
  /** 0 to 5. */
  readonly style: number;
}

interface OverlayCurve {
  readonly name: string;
  readonly style: number;
  readonly path: string;
  readonly marks: readonly { readonly x: number; readonly y: number; readonly step: number; readonly loss: number }[];
  readonly last: number;
}

export interface Overlay {
  readonly curves: readonly OverlayCurve[];
  readonly yTicks: readonly { readonly value: number; readonly y: number }[];
  readonly xTicks: readonly { readonly step: number; readonly x: number }[];
}

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

export function overlay(runs: readonly OverlayRun[], width: number, height: number): Overlay {
  const steps = Math.max(1, ...runs.map(({ metrics }) => metrics.step.last));
  const smoothed = runs.map(({ metrics }) => new MovingAverage(metrics.loss).follow());
  let [low, high] = [Infinity, -Infinity];
  const note = (value: number): void => {
    if (!Number.isFinite(value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const column of smoothed) column.values().forEach(note);
  for (const { evals } of runs) evals.forEach(({ loss }) => note(loss));
  const ticks = valueTicks(low, high, 4);
  const [from, to] = [ticks[0], ticks.at(-1) ?? 1];
  const x = (step: number): number => Math.round((step / steps) * width * 10) / 10;
  const y = (loss: number): number => Math.round((1 - (loss - from) / (to - from)) * height * 10) / 10;
  return {
    curves: runs.map(({ name, metrics, evals, style }, i) => ({
      name,
      style,
      path: linePath(metrics.step, smoothed[i], x, y),
      marks: evals.filter(({ loss }) => Number.isFinite(loss)).map(({ step, loss }) => ({ x: x(step), y: y(loss), step, loss })),
      last: smoothed[i].last,
    })),
    yTicks: ticks.map((value) => ({ value, y: y(value) })),
    xTicks: stepTicks(steps, width / 90).map((step) => ({ step, x: x(step) })),
  };
}
