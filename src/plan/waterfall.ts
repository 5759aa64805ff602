// From full fine-tuning down to a run, one lever after the other: what each saves and what it costs. Every step is the difference of two
// plans that differ in that one thing, so the steps add up to the byte. Pure.

import { asMethod } from '../config/as-method';
import { policiesOf } from '../config/policies';
import type { RunConfig } from '../config/run-config';
import type { CheckpointTypes, ModelShape } from '../model/types';
import { forecast, stepFlopsOf, type Forecast } from './forecast';
import { planInput } from './input';
import { keptWider } from './storage';

/**
 * `sampling`: few layers at a time, or adapters, instead of everything. `reuse`: K and V of samples lie in memory that only steps use, where
 * full fine-tuning is counted with memory of its own for them.
 */
export type Lever = 'sampling' | 'policies' | 'recomputation' | 'precision' | 'state' | 'clipping' | 'reuse';

export interface WaterfallStep {
  readonly lever: Lever;
  /** Bytes that it saves after the steps before it; 0 or less if it saves nothing here. */
  readonly saves: number;
  /** FLOPs of a step with it, over those before it. */
  readonly work: number;
}

export interface Waterfall {
  /** Bytes of full fine-tuning in f32 with everything kept. */
  readonly full: number;
  /** Of full fine-tuning with the run's own settings, as it is compared with the run elsewhere. */
  readonly fullAlike: number;
  /** Of the levers that are on, in the order in which they add up. */
  readonly steps: readonly WaterfallStep[];
  /** Bytes of the run: `full` less what the steps save. */
  readonly run: number;
  readonly trainable: number;
  /** LoRA for a run of LISA, and the other way round, over the same base with the same recomputation and state. Null for a full run. */
  readonly rival: { readonly method: 'lisa' | 'lora'; readonly bytes: number; readonly trainable: number } | null;
  /** Rows that train and rows that there are, if the settings ask for training by rows. */
  readonly rows: { readonly trained: number; readonly all: number } | null;
  /** Matrices that stay in f32 although the base is quantised. */
  readonly keptWider: readonly string[];
}

const OFF = {
  lisaEmbedding: 'on',
  lisaHead: 'on',
  lisaNorm: 'on',
  recompute: 'off',
  weightStorage: 'f32',
  optimizerState: 'f32',
  gradClipMode: 'global',
} as const satisfies Partial<RunConfig>;

/** The settings of each lever. */
const SETTINGS: Readonly<Record<Exclude<Lever, 'sampling' | 'reuse'>, readonly (keyof typeof OFF)[]>> = {
  policies: ['lisaEmbedding', 'lisaHead', 'lisaNorm'],
  recomputation: ['recompute'],
  precision: ['weightStorage'],
  state: ['optimizerState'],
  clipping: ['gradClipMode'],
};

/** Throws CONFIG_INVALID if the configuration does not fit the model. `dataTokens`: as for a forecast. */
export function waterfall(shape: ModelShape, config: RunConfig, types?: CheckpointTypes, dataTokens?: number): Waterfall {
  const of = (changed: RunConfig): Forecast => forecast(shape, changed, types, dataTokens);
  const work = (changed: RunConfig): number => stepFlopsOf(shape, changed, dataTokens);
  const apart = ({ total, reused = 0 }: Forecast): number => total + reused;
  const policies = policiesOf(config, shape.tied);

  let now: RunConfig = { ...config, ...OFF, method: 'full' };
  const full = apart(of(now));
  let [bytes, flops] = [full, work(now)];
  const steps: WaterfallStep[] = [];
  const take = (lever: Lever, next: RunConfig): void => {
    const [after, workAfter] = [apart(of(next)), work(next)];
    steps.push({ lever, saves: bytes - after, work: workAfter / flops });
    [now, bytes, flops] = [next, after, workAfter];
  };
  const isOn = (lever: keyof typeof SETTINGS): boolean => {
    if (lever === 'policies') return config.method === 'lisa' && Object.values(policies).some((policy) => policy !== 'on');
    if (lever === 'precision' && config.method === 'full') return false;
    return SETTINGS[lever].some((key) => config[key] !== OFF[key]);
  };
  if (config.method !== 'full') take('sampling', { ...now, method: config.method });
  for (const lever of Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]) {
    if (isOn(lever)) take(lever, { ...now, ...Object.fromEntries(SETTINGS[lever].map((key) => [key, config[key]])) });
  }
  const own = of(config);
  steps.push({ lever: 'reuse', saves: bytes - own.total, work: 1 });

  const rival = config.method === 'full' ? null : config.method === 'lisa' ? 'lora' : 'lisa';
  const other = rival && of(asMethod(config, rival, shape.layers));
  const byRows = config.method === 'lisa' && (policies.embedding === 'rows' || policies.head === 'rows');
  return {
    full,
    fullAlike: of(asMethod(config, 'full', shape.layers)).total,
    steps,
    run: own.total,
    trainable: own.trainable,
    rival: rival && other && { method: rival, bytes: other.total, trainable: other.trainable },
    rows: byRows ? { trained: Math.min(dataTokens ?? shape.vocab, shape.vocab), all: shape.vocab } : null,
    keptWider: config.method === 'full' ? [] : keptWider(planInput(shape, config, { types, dataTokens })),
  };
}
