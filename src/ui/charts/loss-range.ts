// Which losses the chart shows: all, or without the outliers at both ends. Pure.

import type { EvalPoint } from '../../store/run/run';
import type { Distribution } from './distribution';

/** Share of the steps that may lie outside at each end, when outliers are left out. */
const OUTLIERS = 0.01;

export interface LossRange {
  readonly low: number;
  readonly high: number;
  /** Number of steps and evaluations outside the chart. */
  readonly outside: number;
}

/** Infinite bounds while there is no value. */
export function lossRange(spread: Distribution, evals: readonly EvalPoint[], clip: boolean, log: boolean): LossRange {
  const finite = evals.filter(({ loss }) => Number.isFinite(loss));
  if (clip && spread.count > 0) {
    const { low, high, outside } = spread.within(OUTLIERS);
    const within = log ? Math.max(low, spread.positiveLow) : low;
    return { low: within, high, outside: outside + finite.filter(({ loss }) => loss < within || loss > high).length };
  }
  let low = log ? spread.positiveLow : spread.low;
  let high = spread.high;
  for (const { loss } of finite) {
    if (loss > 0 || !log) low = Math.min(low, loss);
    high = Math.max(high, loss);
  }
  return { low, high, outside: 0 };
}
