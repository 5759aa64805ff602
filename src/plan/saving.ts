// Where LISA's savings against full fine-tuning come from. Each part is the difference of two plans that
// differ in that one thing, so the parts add up to the whole to the byte. Pure.

import type { RunConfig } from '../config/run-config';
import { forecast, stepFlopsOf } from './forecast';
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
  /** Freezing those of embedding, head and final norm that the settings freeze, or all but some of their rows. */
  readonly alwaysOn: number;
  /** Storing weights that do not train in the 16 bits that they came in; 0 if weights are stored as f32. */
  readonly precision: number;
  /** Always 0: neither run throws activations away to compute them again. */
  readonly recomputation: 0;
}

const ALL_ON = { lisaEmbedding: 'on', lisaHead: 'on', lisaNorm: 'on' } as const;

/** Throws CONFIG_INVALID if the configuration does not fit the model. */
export function savingBreakdown(shape: ModelShape, config: RunConfig, types?: CheckpointTypes, dataTokens?: number): SavingBreakdown {
  const bytes = (changes: Partial<RunConfig>): number =>
    sumBytes(bytesByCategory(new RunPlan(planInput(shape, { ...config, ...changes }, { types, dataTokens })).allBuffers));
  const full = bytes({ method: 'full' });
  const allOn = bytes({ method: 'lisa', weightStorage: 'f32', ...ALL_ON });
  const wide = bytes({ method: 'lisa', weightStorage: 'f32' });
  const lisa = bytes({ method: 'lisa' });
  return { full, lisa, sampling: full - allOn, alwaysOn: allOn - wide, precision: wide - lisa, recomputation: 0 };
}

export interface LeverPrice {
  readonly lever: 'policies' | 'recomputation' | 'precision' | 'state' | 'clipping';
  /** Bytes that the run would take more without this lever and with all others. */
  readonly saves: number;
  /** FLOPs of a step with it, over those without it. */
  readonly work: number;
}

/** Each lever by the settings that turn it off. */
const WITHOUT: Readonly<Record<LeverPrice['lever'], Partial<RunConfig>>> = {
  policies: ALL_ON,
  recomputation: { recompute: 'off' },
  precision: { weightStorage: 'f32' },
  state: { optimizerState: 'f32' },
  clipping: { gradClipMode: 'global' },
};

/** What each lever that is on saves and costs, given the others. Throws CONFIG_INVALID if the configuration does not fit the model. */
export function leverPrices(shape: ModelShape, config: RunConfig, types?: CheckpointTypes, dataTokens?: number): LeverPrice[] {
  const total = (changes: Partial<RunConfig>): number => forecast(shape, { ...config, ...changes }, types, dataTokens).total;
  const work = (changes: Partial<RunConfig>): number => stepFlopsOf(shape, { ...config, ...changes }, dataTokens);
  const [own, ownWork] = [total({}), work({})];
  return (Object.keys(WITHOUT) as LeverPrice['lever'][])
    .filter((lever) => config.method === 'lisa' || lever !== 'policies')
    .map((lever) => ({ lever, saves: total(WITHOUT[lever]) - own, work: ownWork / work(WITHOUT[lever]) }))
    .filter(({ saves }) => saves !== 0);
}
