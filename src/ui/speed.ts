// Tokens per second and time left, from measured step times only. Pure.

import type { RunMetrics } from '../store/run/metrics';

/** Steps that the speed is averaged over. */
const WINDOW = 20;

export interface Speed {
  /** NaN before the first step. */
  readonly tokensPerSecond: number;
  readonly stepMs: number;
  /** Training only; evaluation, samples and saving take extra time. */
  readonly leftMs: number;
}

/** Means over the last steps. The first step compiles pipelines, so it is left out as soon as there is another. */
export function speedOf(metrics: Pick<RunMetrics, 'tokens' | 'stepMs'>, stepsLeft: number): Speed {
  const count = metrics.stepMs.length;
  const from = Math.max(count > 1 ? 1 : 0, count - WINDOW);
  let ms = 0;
  let tokens = 0;
  for (let i = from; i < count; i++) {
    ms += metrics.stepMs.at(i);
    tokens += metrics.tokens.at(i);
  }
  const stepMs = count > from ? ms / (count - from) : NaN;
  return { tokensPerSecond: (tokens / ms) * 1000, stepMs, leftMs: stepMs * stepsLeft };
}
