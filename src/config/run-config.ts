// RunConfig: everything a person chooses about a run. Type, defaults, limits and checks live here and nowhere
// else; the command line, the page and the engine all read them.

import { COLUMNS_REMEDY, columnsProblem, type ColumnMap } from '../data/read/column-map';
import { AppError } from '../base/errors';

export type Method = 'full' | 'lisa' | 'lora';
export type LrSchedule = 'constant' | 'linear' | 'cosine';
export type LisaSampler = 'uniform' | 'bernoulli' | 'cycle' | 'weighted';

export interface RunConfig {
  /** Built-in name or, in the terminal, a directory in Hugging Face layout. */
  readonly model: string;
  /** Built-in name or, in the terminal, a file. */
  readonly data: string;
  /** Evaluation set; null: the built-in data's own, else a split of the data. */
  readonly evalData: string | null;
  readonly method: Method;
  /** Optimizer steps. */
  readonly steps: number;
  /** T: tokens of a row, at most. */
  readonly seqLen: number;
  /** B: rows of a micro-batch. */
  readonly batchSize: number;
  /** Micro-batches of an optimizer step. */
  readonly gradAccum: number;
  readonly lr: number;
  readonly lrSchedule: LrSchedule;
  /** Steps of linear warm-up. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Largest gradient norm; 0 turns clipping off. */
  readonly gradClip: number;
  readonly seed: number;

  /** γ: middle layers trained in a period. */
  readonly lisaLayers: number;
  /** K: optimizer steps of a period. */
  readonly lisaPeriod: number;
  readonly lisaSampler: LisaSampler;
  /** p_l, one per layer, for `weighted` and `bernoulli`; null: all equal. */
  readonly lisaWeights: readonly number[] | null;
  /** Always-on tensors. */
  readonly lisaTrain: { readonly embedding: boolean; readonly head: boolean; readonly norm: boolean };
  /** What happens to m and v of a layer that leaves: dropped, or kept in host memory until it is drawn again. */
  readonly lisaState: 'drop' | 'park';
  /** Updates over which a layer that joins with a fresh optimizer state comes up to the learning rate; 0: at once, as published. */
  readonly lisaRewarm: number;
  /** How weights lie on the GPU: all as f32, or those that do not train as the 16-bit floats that they came as. */
  readonly weights: 'f32' | 'stored';

  readonly loraRank: number;
  readonly loraAlpha: number;

  /** Which tokens carry a loss in chat data. */
  readonly mask: 'assistant' | 'all';
  readonly packing: boolean;
  readonly shuffle: boolean;
  readonly badRows: 'refuse' | 'skip';
  /** Names of the columns that hold the known fields, where the file calls them otherwise; null: as they are. */
  readonly columns: ColumnMap | null;
  /** Take copies of held-out rows out of training. */
  readonly dedupe: boolean;
  /** Share of rows held out when there is no evaluation set. */
  readonly evalSplit: number;
  /** Evaluate every so many steps, and before the first and after the last; 0: only those two. */
  readonly evalEvery: number;
  /** Write a checkpoint every so many steps; 0: only at the end. */
  readonly saveEvery: number;

  readonly prompts: readonly string[];
  readonly temperature: number;
  /** Samples before and after only, or at steps 10, 20, 40, 80 … in between too. */
  readonly sampleAt: 'ends' | 'log';
  /** Measure ‖ΔW‖ / ‖W‖ of every layer when it leaves; reads the layer back at both ends of its period. */
  readonly measureUpdates: boolean;
  /** Tokens to sample, at most. */
  readonly sampleTokens: number;
}

export const BUILTIN_MODEL = 'wordsmith-2m';
export const BUILTIN_DATA = 'devils-dictionary';

/** The settings of LISA's best row for the built-in model (docs/results.md). */
export const DEFAULTS: RunConfig = {
  model: BUILTIN_MODEL,
  data: BUILTIN_DATA,
  evalData: null,
  method: 'lisa',
  steps: 100,
  seqLen: 128,
  batchSize: 4,
  gradAccum: 1,
  lr: 5e-4,
  lrSchedule: 'cosine',
  warmup: 10,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  gradClip: 1,
  seed: 1,
  lisaLayers: 2,
  lisaPeriod: 5,
  lisaSampler: 'uniform',
  lisaWeights: null,
  lisaTrain: { embedding: true, head: true, norm: true },
  lisaState: 'drop',
  lisaRewarm: 0,
  weights: 'f32',
  loraRank: 16,
  loraAlpha: 32,
  mask: 'assistant',
  packing: false,
  shuffle: true,
  badRows: 'refuse',
  columns: null,
  dedupe: true,
  evalSplit: 0.05,
  evalEvery: 50,
  saveEvery: 50,
  prompts: [],
  temperature: 0,
  sampleAt: 'log',
  measureUpdates: true,
  sampleTokens: 64,
};

/** The learning rate each method does best with on the built-in model (docs/results.md). */
export const METHOD_LR: Readonly<Record<Method, number>> = { lisa: 5e-4, full: 3e-4, lora: 2e-3 };

export type ConfigKey = keyof RunConfig;

/** Warm-up where nobody chose one. */
export const defaultWarmup = (steps: number): number => Math.min(DEFAULTS.warmup, Math.floor(steps / 10));

/** The defaults of a run of this method and length: its learning rate and warm-up follow from them. */
export const defaultsFor = ({ method, steps }: Pick<RunConfig, 'method' | 'steps'>): RunConfig => ({
  ...DEFAULTS,
  method,
  steps,
  lr: METHOD_LR[method],
  warmup: Number.isFinite(steps) ? defaultWarmup(steps) : DEFAULTS.warmup,
});

export interface ConfigFault {
  readonly key: ConfigKey;
  readonly problem: string;
  readonly remedy: string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  /** min itself is not allowed. */
  readonly open?: boolean;
}

const whole = (min: number, max: number): Bounds => ({ min, max, integer: true });

/** Bounds of every numeric option. */
export const BOUNDS = {
  steps: whole(1, 10_000_000),
  seqLen: whole(2, 1_048_576),
  batchSize: whole(1, 65_536),
  gradAccum: whole(1, 65_536),
  lr: { min: 0, max: 10, integer: false, open: true },
  warmup: whole(0, 10_000_000),
  weightDecay: { min: 0, max: 10, integer: false },
  beta1: { min: 0, max: 0.999999, integer: false },
  beta2: { min: 0, max: 0.9999999, integer: false },
  // Below it f32 divides zero by zero where a gradient is zero, and takes steps above the rate where a gradient's square underflows.
  eps: { min: 1e-16, max: 1, integer: false },
  gradClip: { min: 0, max: 1e9, integer: false },
  seed: whole(0, 0xffffffff),
  lisaLayers: whole(1, 1024),
  lisaPeriod: whole(1, 10_000_000),
  lisaRewarm: whole(0, 10_000_000),
  loraRank: whole(1, 1024),
  loraAlpha: { min: 0, max: 1e6, integer: false, open: true },
  evalSplit: { min: 0, max: 0.5, integer: false },
  evalEvery: whole(0, 10_000_000),
  saveEvery: whole(0, 10_000_000),
  temperature: { min: 0, max: 10, integer: false },
  sampleTokens: whole(1, 65_536),
} as const satisfies { readonly [key in ConfigKey]?: Bounds };
export type NumericKey = keyof typeof BOUNDS;

/** What the chosen model allows; absent before a model is known. */
export interface ModelBounds {
  readonly layers: number;
  readonly maxPositions: number;
  /** maxPositions is how far attention reaches, not how many positions there are. */
  readonly windowed?: boolean;
}

/** Every fault of a configuration, by option; empty when it can run. */
export function configFaults(config: RunConfig, model?: ModelBounds): ConfigFault[] {
  const faults: ConfigFault[] = [];
  for (const key of Object.keys(BOUNDS) as NumericKey[]) {
    const { min, max, integer, open }: Bounds = BOUNDS[key];
    const value = config[key];
    const kind = integer ? 'a whole number' : 'a number';
    const range = `${kind} ${open ? 'above' : 'from'} ${min} ${open ? 'and at most' : 'to'} ${max}`;
    const inside = Number.isFinite(value) && (open ? value > min : value >= min) && value <= max && (!integer || Number.isInteger(value));
    if (!inside) faults.push({ key, problem: `${value} is out of range.`, remedy: `Give ${range}.` });
  }
  if (config.warmup > config.steps) {
    faults.push({
      key: 'warmup',
      problem: `Warm-up of ${config.warmup} steps is longer than the run of ${config.steps}.`,
      remedy: 'Lower the warm-up or raise the steps.',
    });
  }
  if (config.lisaWeights && !config.lisaWeights.every((w) => Number.isFinite(w) && w >= 0)) {
    faults.push({ key: 'lisaWeights', problem: 'A layer weight is negative or no number.', remedy: 'Give one number ≥ 0 per layer.' });
  }
  const columns = config.columns && columnsProblem(config.columns);
  if (columns) faults.push({ key: 'columns', problem: columns, remedy: COLUMNS_REMEDY });
  if (model) faults.push(...modelFaults(config, model));
  return faults;
}

function modelFaults(config: RunConfig, model: ModelBounds): ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (config.seqLen > model.maxPositions) {
    faults.push({
      key: 'seqLen',
      problem: model.windowed
        ? `${config.seqLen} tokens are more than the model's attention window of ${model.maxPositions}; a window that slides is not implemented.`
        : `${config.seqLen} tokens are more than the model's ${model.maxPositions} positions.`,
      remedy: `Give at most ${model.maxPositions}.`,
    });
  }
  if (config.method === 'lisa') {
    if (config.lisaLayers > model.layers) {
      faults.push({
        key: 'lisaLayers',
        problem: `γ = ${config.lisaLayers} is more than the model's ${model.layers} layers.`,
        remedy: `Give at most ${model.layers}.`,
      });
    }
    if (config.lisaWeights && config.lisaWeights.length !== model.layers) {
      faults.push({
        key: 'lisaWeights',
        problem: `${config.lisaWeights.length} weights for ${model.layers} layers.`,
        remedy: 'Give one weight per layer.',
      });
    } else if (config.lisaWeights && !config.lisaWeights.some((w) => w > 0)) {
      faults.push({ key: 'lisaWeights', problem: 'All layer weights are zero.', remedy: 'Give at least one weight above zero.' });
    }
    if (config.lisaSampler === 'weighted' && !config.lisaWeights) {
      faults.push({
        key: 'lisaWeights',
        problem: 'The weighted sampler has no weights.',
        remedy: 'Give one weight per layer, or choose another sampler.',
      });
    }
  }
  return faults;
}

/** Throws CONFIG_INVALID with the first fault. `label` turns a key into what the person typed: '--lisa-layers'. */
export function checkConfig(config: RunConfig, model?: ModelBounds, label: (key: ConfigKey) => string = (key) => key): void {
  const [fault] = configFaults(config, model);
  if (fault) throw new AppError('CONFIG_INVALID', `${label(fault.key)}: ${fault.problem}`, fault.remedy);
}

/** Keys whose values differ from the defaults, for URLs and run cards. */
export function configDiff(config: RunConfig, from: RunConfig = DEFAULTS): Partial<RunConfig> {
  const entries = (Object.keys(from) as ConfigKey[]).filter((key) => JSON.stringify(config[key]) !== JSON.stringify(from[key]));
  return Object.fromEntries(entries.map((key) => [key, config[key]]));
}
