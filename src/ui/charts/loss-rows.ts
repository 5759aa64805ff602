// Rows of the loss chart: decimated steps and all evaluations, in order of the step. Pure.

import type { Column } from '../../store/columns';
import type { EvalPoint } from '../../store/run';
import { decimate } from './decimate';

export const MOST_POINTS = 800;

export interface LossRow {
  readonly step: number;
  readonly loss?: number;
  readonly smooth?: number;
  readonly eval?: number;
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

export function lossRows(
  metrics: { readonly step: Column; readonly loss: Column; readonly smooth: Column },
  evals: readonly EvalPoint[],
): LossRow[] {
  const rows = new Map<number, LossRow>();
  for (const i of decimate(metrics.loss.values(), MOST_POINTS)) {
    const step = metrics.step.at(i);
    rows.set(step, { step, loss: finite(metrics.loss.at(i)), smooth: finite(metrics.smooth.at(i)) });
  }
  for (const { step, loss } of evals) rows.set(step, { ...rows.get(step), step, eval: finite(loss) });
  return [...rows.values()].sort((a, b) => a.step - b.step);
}

/** Lowest and highest value that the chart shows; infinite while there is none. */
export function lossRange(rows: readonly LossRow[]): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const row of rows) {
    for (const value of [row.loss, row.smooth, row.eval]) {
      if (value === undefined) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}
