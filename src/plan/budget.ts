// Fits a run to a budget of GPU memory. Settings that save memory are tried one after the other, those that cost least quality and time
// first; each is a change of the configuration, and what it saves is the difference of two plans. Pure.

import type { ConfigKey, RunConfig } from '../config/run-config';
import { policiesOf } from '../config/policies';
import type { CheckpointTypes, ModelShape } from '../model/types';
import { forecast } from './forecast';

/** What a change costs besides bytes, in the words in which it is told. */
interface Lever {
  readonly name: string;
  readonly price: string;
  /** The settings that it changes. One that a person gave stays. */
  readonly keys: readonly ConfigKey[];
  /** The next value of these settings; null where there is nothing left to change. */
  change(config: RunConfig, shape: ModelShape): Partial<RunConfig> | null;
}

const isLisa = ({ method }: RunConfig): boolean => method === 'lisa';
const quantises = ({ method }: RunConfig): boolean => method !== 'full';

/** In the order in which they are tried: first what changes no bit of the result, then what costs precision, then what trains less. */
const LEVERS: readonly Lever[] = [
  {
    name: 'compute the feed-forward again in the backward',
    price: 'same bits, a longer step',
    keys: ['recompute'],
    change: ({ recompute }) => (recompute === 'off' ? { recompute: 'mlp' } : null),
  },
  {
    name: 'compute whole layers again in the backward',
    price: 'same bits, a step about a third longer',
    keys: ['recompute'],
    change: ({ recompute }) => (recompute === 'mlp' ? { recompute: 'layer' } : null),
  },
  {
    name: 'train the embedding and head by the rows of the data’s tokens',
    price: 'rows of other tokens stay as they are',
    keys: ['alwaysOn', 'lisaEmbedding', 'lisaHead'],
    change: (config, { tied }) => {
      const { embedding, head } = policiesOf(config, tied);
      if (!isLisa(config) || (embedding !== 'on' && head !== 'on')) return null;
      if (tied) return { lisaEmbedding: 'rows', lisaHead: null };
      return { ...(embedding === 'on' && { lisaEmbedding: 'rows' }), ...(head === 'on' && { lisaHead: 'rows' }) };
    },
  },
  {
    name: 'clip gradients layer by layer, so that layers share one gradient',
    price: 'each layer is clipped by its own norm',
    keys: ['gradClipMode', 'gradAccum'],
    change: ({ gradClipMode, gradAccum }) => (gradClipMode === 'global' && gradAccum === 1 ? { gradClipMode: 'block' } : null),
  },
  {
    name: 'keep weights that do not train in 8 bits',
    price: 'frozen layers are a little coarser; updates keep full precision',
    keys: ['weightStorage'],
    change: (config) =>
      quantises(config) && config.weightStorage !== 'int8' && config.weightStorage !== 'int4' ? { weightStorage: 'int8' } : null,
  },
  {
    name: 'keep m and v of AdamW in 8 bits',
    price: 'updates differ by at most a few per cent',
    keys: ['optimizerState'],
    change: ({ optimizerState }) => (optimizerState === 'f32' ? { optimizerState: 'int8' } : null),
  },
  {
    name: 'halve the batch and accumulate over twice as many',
    price: 'the same gradient, a longer step',
    keys: ['batchSize', 'gradAccum'],
    // Accumulating needs a gradient for each layer, so a clip by layer goes back to one for all.
    change: ({ batchSize, gradAccum }) =>
      batchSize % 2 === 0 ? { batchSize: batchSize / 2, gradAccum: gradAccum * 2, gradClipMode: 'global' } : null,
  },
  {
    name: 'train one layer less at a time',
    price: 'every layer trains less often',
    keys: ['lisaLayers'],
    change: (config) => (isLisa(config) && config.lisaLayers > 1 ? { lisaLayers: config.lisaLayers - 1 } : null),
  },
  {
    name: 'keep weights that do not train in 4 bits',
    price: 'frozen layers are clearly coarser; updates keep full precision',
    keys: ['weightStorage'],
    change: ({ weightStorage }) => (weightStorage === 'int8' ? { weightStorage: 'int4' } : null),
  },
];

interface BudgetStep {
  readonly name: string;
  readonly price: string;
  readonly change: Partial<RunConfig>;
  /** Bytes that it saves after the steps before it. */
  readonly saves: number;
}

export interface BudgetPlan {
  /** The configuration with all steps. */
  readonly config: RunConfig;
  readonly steps: readonly BudgetStep[];
  /** Its bytes. If they are above the budget, nothing that may be changed makes the run smaller. */
  readonly total: number;
  readonly fits: boolean;
}

export interface BudgetQuestion {
  readonly shape: ModelShape;
  readonly config: RunConfig;
  /** Bytes. */
  readonly budget: number;
  /** Settings that a person gave: they stay. */
  readonly given: ReadonlySet<ConfigKey>;
  readonly types?: CheckpointTypes;
  /** How many tokens of the vocabulary occur in the data. Default: all. */
  readonly tokens?: number;
}

/** The fewest changes, in the order above, that make the run fit. Throws CONFIG_INVALID if the configuration does not fit the model. */
export function fitToBudget({ shape, config, budget, given, types, tokens }: BudgetQuestion): BudgetPlan {
  const bytes = (of: RunConfig): number => forecast(shape, of, types, tokens).total;
  const usable = LEVERS.filter(({ keys }) => !keys.some((key) => given.has(key)));
  let taken: { readonly lever: Lever; readonly change: Partial<RunConfig> }[] = [];
  let [now, total] = [config, bytes(config)];
  for (const lever of usable) {
    for (let change = lever.change(now, shape); change && total > budget; change = lever.change(now, shape)) {
      const next = { ...now, ...change };
      const after = bytes(next);
      // It may save nothing here: rows of data that covers the vocabulary, 8 bits where rows are not whole groups.
      if (after >= total) break;
      taken.push({ lever, change });
      [now, total] = [next, after];
    }
  }
  // A late step may have made an earlier one unnecessary: those that cost most go first.
  for (const each of total <= budget ? [...taken].reverse() : []) {
    const rest = taken.filter((other) => other !== each);
    const without = rest.reduce((of, { change }) => ({ ...of, ...change }), config);
    if (follows(rest, config, shape) && bytes(without) <= budget) taken = rest;
  }
  const steps: BudgetStep[] = [];
  [now, total] = [config, bytes(config)];
  for (const { lever, change } of taken) {
    now = { ...now, ...change };
    const after = bytes(now);
    steps.push({ name: lever.name, price: lever.price, change, saves: total - after });
    total = after;
  }
  return { config: now, steps, total, fits: total <= budget };
}

/** Whether each step is still what its lever does after the steps before it: 4 bits come after 8. */
function follows(
  taken: readonly { readonly lever: Lever; readonly change: Partial<RunConfig> }[],
  config: RunConfig,
  shape: ModelShape,
): boolean {
  let now = config;
  for (const { lever, change } of taken) {
    if (JSON.stringify(lever.change(now, shape)) !== JSON.stringify(change)) return false;
    now = { ...now, ...change };
  }
  return true;
}
