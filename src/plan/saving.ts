// How much of what LISA saves against full fine-tuning comes from what. Each part is the difference of two plans that
// differ in that one thing, so the parts add up to the whole to the byte. Pure.

import type { RunConfig } from '../config/run-config';
import { planInput } from './input';
import { bytesByCategory, sumBytes } from '../dispatch/memory';
import { RunPlan } from './run-plan';
import type { ModelShape, CheckpointTypes } from '../model/types';

export interface SavingBreakdown {
  /** Bytes of a full run with the same settings. */
  readonly full: number;
  readonly lisa: number;
  /** Training γ layers at a time, with embedding, head and final norm on. */
  readonly sampling: number;
  /** Freezing what the settings freeze of embedding, head and final norm. */
  readonly alwaysOn: number;
  /** Storing what does not train in the 16 bits that it came in; 0 where weights are stored as f32. */
  readonly precision: number;
  /** Neither run throws activations away to compute them again. */
  readonly recomputation: 0;
}

/** Throws CONFIG_INVALID where the configuration does not fit the model. */
export function savingBreakdown(shape: ModelShape, config: RunConfig, types?: CheckpointTypes): SavingBreakdown {
  const bytes = (changes: Partial<RunConfig>): number =>
    sumBytes(bytesByCategory(new RunPlan(planInput(shape, { ...config, ...changes }, { types })).allBuffers));
  const full = bytes({ method: 'full' });
  const allOn = bytes({ method: 'lisa', weightStorage: 'f32', alwaysOn: { embedding: true, head: true, norm: true } });
  const wide = bytes({ method: 'lisa', weightStorage: 'f32' });
  const lisa = bytes({ method: 'lisa' });
  return { full, lisa, sampling: full - allOn, alwaysOn: allOn - wide, precision: wide - lisa, recomputation: 0 };
}
