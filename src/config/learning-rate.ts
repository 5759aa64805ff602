// Learning rate of an optimizer step. The run and the page's preview of the schedule use the same function. One
// schedule covers the whole run; a switch of layers never restarts it.

import type { RunConfig } from './run-config';

/** Rate of step s, counted from 0: linear warm-up, then constant, linear to 0 or cosine to 0. */
export function learningRate(config: Pick<RunConfig, 'lr' | 'lrSchedule' | 'warmup' | 'steps'>, s: number): number {
  const { lr, lrSchedule, warmup, steps } = config;
  if (s < warmup) return (lr * (s + 1)) / warmup;
  const progress = (s - warmup) / Math.max(1, steps - warmup);
  if (lrSchedule === 'linear') return lr * (1 - progress);
  return lrSchedule === 'cosine' ? lr * 0.5 * (1 + Math.cos(Math.PI * progress)) : lr;
}

/**
 * Rate of a layer whose optimizer state has seen `updates` updates: up from lr / rewarm to lr over the first `rewarm` of them.
 * Otherwise a layer that joins late would start at the full rate, and Adam's first steps are as large as the rate, whatever the
 * gradient.
 */
export const rewarmed = (lr: number, updates: number, rewarm: number): number => (updates < rewarm ? (lr * (updates + 1)) / rewarm : lr);
