// AdamW and the schedule of its learning rate.

import { row } from '../field';
import { choice, real, whole } from '../kinds';

/** Steps of the warm-up of a long run. */
const LONGEST_WARMUP = 10;

export const OPTIMIZER = {
  lrSchedule: row(choice('cosine', 'linear', 'constant'), {
    default: 'cosine',
    flag: 'lr-schedule',
    help: 'learning rate after the warm-up',
  }),
  /** Steps of linear warm-up. */
  warmup: row(whole(0, 10_000_000), {
    default: LONGEST_WARMUP,
    flag: 'warmup',
    help: `steps of linear warm-up (default: a tenth of the steps, rounded down, at most ${LONGEST_WARMUP})`,
    follows: ({ steps }) => (Number.isFinite(steps) ? Math.min(LONGEST_WARMUP, Math.floor(steps / 10)) : undefined),
  }),
  weightDecay: row(real(0, 10), { default: 0, flag: 'weight-decay', help: 'decoupled weight decay of matrices and embeddings' }),
  beta1: row(real(0, 0.999999), { default: 0.9, flag: 'beta1', help: "AdamW's β₁" }),
  beta2: row(real(0, 0.9999999), { default: 0.999, flag: 'beta2', help: "AdamW's β₂" }),
  // Below 1e-16 f32 divides zero by zero where a gradient is zero, and takes steps above the rate where a gradient's square underflows.
  eps: row(real(1e-16, 1), { default: 1e-8, flag: 'eps', help: "AdamW's ε" }),
  /** Largest gradient norm; 0 turns clipping off. */
  gradClip: row(real(0, 1e9), { default: 1, flag: 'grad-clip', help: 'largest gradient norm; 0: no clipping' }),
  /** What the norm is taken of: all gradients of a step, or those of one layer (or embedding, head, final norm) at a time. */
  gradClipMode: row(choice('global', 'block'), {
    default: 'global',
    flag: 'grad-clip-mode',
    help: 'clip by the norm of all gradients, or each layer by its own: with --grad-accum 1 layers then share one gradient',
  }),
};
