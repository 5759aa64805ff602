// How often a run interrupts training to evaluate or to save.

import { row } from '../field';
import { optional, whole } from '../kinds';

export const INTERVALS = {
  /** Evaluate every so many steps, and also before the first and after the last; 0: only before and after. */
  evalEvery: row(whole(0, 10_000_000), {
    default: 50,
    flag: 'eval-every',
    help: 'evaluate every so many steps; 0: only before and after',
  }),
  /** Write a checkpoint every so many steps; 0: only at the end; null: after the first period, then by time (train/save-clock.ts). */
  saveEvery: row(optional(whole(0, 10_000_000)), {
    default: null,
    flag: 'save-every',
    help: 'steps between two checkpoints; 0: only at the end; if left out: by time, at most 2 % of it',
  }),
};
