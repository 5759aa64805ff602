// What a run's plan depends on, and nothing else: model shape, method, batch shape. Two runs with equal input
// have equal plans, byte for byte.

import { layerWeights } from '../config/importance';
import { policiesOf, sampledBlocks, type PolicyName } from '../config/policies';
import type { Method, RunConfig } from '../config/run-config';
import { lowestLayer, mostLayers, type ScheduleConfig } from '../lisa/schedule';
import { SHARD_BYTES } from '../model/shards';
import type { OptimizerState } from '../shaders/adamw/adamw';
import type { AttentionFamily } from '../shaders/attention/attention';
import type { MatmulFamily } from '../shaders/matmul/matmul';
import type { ModelShape, CheckpointTypes } from '../model/types';
import type { Quantised } from '../dispatch/types';
import type { Extents } from '../dispatch/extents';

interface AlwaysOn {
  readonly embedding: boolean;
  readonly norm: boolean;
  readonly head: boolean;
}

/** The types of a checkpoint that is stored as it came, or the integers of a quantised base. */
export type BaseStorage = CheckpointTypes | Quantised;
/** Of which always-on tensors only the rows of tokens that occur in the data train, and how many such rows there are. */
interface TrainedRows {
  readonly embedding: boolean;
  readonly head: boolean;
  /** R; 0 if neither trains by rows. */
  readonly count: number;
}

const NO_ROWS: TrainedRows = { embedding: false, head: false, count: 0 };

export interface PlanInput {
  /**
   * 'generate': new tokens over the cache and nothing else, for a model that only answers. 'evaluate': the loss and nothing else, by layers
   * whose weights take turns in one place (engine/evaluate-by-layer.ts).
   */
  readonly purpose: 'train' | 'generate' | 'evaluate';
  readonly shape: ModelShape;
  readonly method: Method;
  /** Optimizer slots: the most layers that any draw of the run trains at once. */
  readonly slots: number;
  /** The lowest layer that any draw of the run trains; saved activations exist from here up. 0 when the embedding trains. */
  readonly lowest: number;
  /** Tensors besides the layers that train, at every step if they are not sampled. With tied weights the head is the embedding, and `head` is false. */
  readonly alwaysOn: AlwaysOn;
  /** Of those, the ones that train only in periods that draw them. */
  readonly sampled: readonly PolicyName[];
  /** A draw may leave every slot idle. */
  readonly emptyDraws: boolean;
  /** The norm of each layer's gradient is read back after each step. */
  readonly layerNorms: boolean;
  readonly trainedRows: TrainedRows;
  readonly lora: { readonly rank: number; readonly alpha: number } | null;
  /** How weights that do not train are stored (storage.ts); 'f32' if everything is stored as f32. */
  readonly types: BaseStorage;
  /** Capacity: N = B·T tokens of a micro-batch. */
  readonly rows: number;
  /** T */
  readonly seqLen: number;
  /** Tokens that the K/V cache holds while sampling. */
  readonly cacheTokens: number;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly eps: number };
  /** 0: no clipping. */
  readonly gradClip: number;
  /** Whether each layer, and embedding, head and final norm, is clipped by its own norm. */
  readonly clipByBlock: boolean;
  /** A layer is updated right after its backward, and all layers in training share one gradient. */
  readonly updateAtOnce: boolean;
  readonly optimizerState: OptimizerState;
  /** What the backward computes again instead of keeping it. */
  readonly recompute: RunConfig['recompute'];
  /** Which kernels run. Part of the run, but no buffer's size depends on it. */
  readonly kernels: KernelChoice;
  /** Work of one dispatch, at least LEAST_DISPATCH_FLOPS: from the device's speed. Neither bits nor bytes of a run depend on it. */
  readonly dispatchFlops: number;
  /**
   * Longest buffer of weights, gradients and optimizer state, except for a single matrix that is longer (layout.ts). The same on every
   * device.
   */
  readonly shardBytes: number;
  /**
   * For a forecast: only the first two and the last of the head's chunks are built, because chunks differ only in their position. All
   * buffers keep their sizes; such a plan cannot run.
   */
  readonly abridged: boolean;
}

/** Kernel families (docs/kernels.md). */
export interface KernelChoice {
  readonly matmul: MatmulFamily;
  readonly attention: AttentionFamily;
}

/**
 * Counts the sets of kernels whose sums differ in their order, so that a run that goes on with another set does not have the bits of one that
 * was never interrupted. 2: sums in tiles, larger chunks of the head, the head's input gradient as one sum wherever it is cut. 3: products of
 * cards with norms before them and activations and rotary positions after them. 4: products of cards with layer norms before them.
 */
export const KERNEL_SET = 4;

/** Those of software adapters: no barriers, which are slow there. */
export const DEFAULT_KERNELS: KernelChoice = { matmul: 'register', attention: 'software' };

/** Those of graphics cards, until they are timed: tiles in workgroup memory. */
export const CARD_KERNELS: KernelChoice = { matmul: 'tiles', attention: 'tiles' };

/** Every choice that a device may be given (engine/tune.ts). */
export const KERNEL_CHOICES: readonly KernelChoice[] = [DEFAULT_KERNELS, CARD_KERNELS, { matmul: 'register', attention: 'tiles' }];

/** Work of one dispatch on a software adapter, below a second even there: the finest that any device's work is cut. */
export const LEAST_DISPATCH_FLOPS = 0.6e9;

/** The largest micro-batch. */
export const capacityOf = ({ rows, seqLen, shape }: PlanInput): Extents => ({
  rows,
  targets: rows,
  tokenGroups: Math.min(rows, shape.vocab),
  positionGroups: Math.min(rows, seqLen),
  pairs: Math.ceil(rows / seqLen) * ((seqLen * (seqLen + 1)) / 2),
});

export function scheduleConfig(shape: ModelShape, config: RunConfig): ScheduleConfig {
  return {
    layers: shape.layers,
    gamma: config.lisaLayers,
    period: config.stepsPerPeriod,
    steps: config.steps,
    seed: config.seed,
    sampler: config.lisaSampler,
    weights: layerWeights(config),
    sampled: config.method === 'lisa' ? sampledBlocks(config, shape.tied) : [],
    adapts: config.method === 'lisa' && config.lisaAdapt !== 'off',
  };
}

/** With tied weights the head is the embedding, and has no entry of its own. */
function trainedAlwaysOn(shape: ModelShape, config: RunConfig): AlwaysOn {
  if (config.method === 'lora') return { embedding: false, norm: false, head: false };
  if (config.method === 'full') return { embedding: true, norm: true, head: !shape.tied };
  const { embedding, head, norm } = policiesOf(config, shape.tied);
  return { embedding: embedding !== 'off', norm: norm !== 'off', head: !shape.tied && head !== 'off' };
}

/** Data whose tokens cover the vocabulary, or that nobody has counted, trains whole matrices: rows would save nothing. */
function rowsTrained(shape: ModelShape, config: RunConfig, dataTokens: number): TrainedRows {
  if (config.method !== 'lisa' || dataTokens >= shape.vocab) return NO_ROWS;
  const policies = policiesOf(config, shape.tied);
  const [embedding, head] = [policies.embedding === 'rows', !shape.tied && policies.head === 'rows'];
  return embedding || head ? { embedding, head, count: dataTokens } : NO_ROWS;
}

export interface PlanOptions {
  /** Replaces the seeded schedule (tests). */
  readonly draws?: readonly (readonly number[])[];
  readonly kernels?: KernelChoice;
  /** See PlanInput. */
  readonly dispatchFlops?: number;
  /** Cuts blocks into smaller buffers (tests). */
  readonly shardBytes?: number;
  /** Types of the checkpoint's tensors. Default: f32. */
  readonly types?: CheckpointTypes;
  /** How many tokens of the vocabulary occur in the training data. Default: all. */
  readonly dataTokens?: number;
  /** Where layers are clipped by their own norms: false keeps all gradients to the end of the step (tests). */
  readonly updateAtOnce?: boolean;
}

export function planInput(
  shape: ModelShape,
  config: RunConfig,
  {
    draws,
    kernels = DEFAULT_KERNELS,
    dispatchFlops = LEAST_DISPATCH_FLOPS,
    shardBytes = SHARD_BYTES,
    types = 'f32',
    dataTokens = shape.vocab,
    updateAtOnce = true,
  }: PlanOptions = {},
): PlanInput {
  const alwaysOn = trainedAlwaysOn(shape, config);
  const lisa = config.method === 'lisa';
  const lowestDrawn = (): number =>
    draws ? draws.flat().reduce((lowest, layer) => Math.min(lowest, layer)) : lowestLayer(scheduleConfig(shape, config));
  const mostDrawn = (): number =>
    draws ? draws.reduce((most, layers) => Math.max(most, layers.length), 1) : mostLayers(scheduleConfig(shape, config));
  return {
    purpose: 'train',
    shape,
    method: config.method,
    slots: lisa ? mostDrawn() : shape.layers,
    lowest: lisa && !alwaysOn.embedding ? lowestDrawn() : 0,
    alwaysOn,
    sampled: lisa ? sampledBlocks(config, shape.tied) : [],
    emptyDraws: lisa && config.lisaSampler === 'algorithm1',
    layerNorms: lisa && config.lisaAdapt === 'gradients',
    trainedRows: rowsTrained(shape, config, dataTokens),
    lora: config.method === 'lora' ? { rank: config.loraRank, alpha: config.loraAlpha } : null,
    types: config.weightStorage === 'stored' ? types : config.weightStorage,
    rows: config.batchSize * config.seqLen,
    seqLen: config.seqLen,
    cacheTokens: Math.min(shape.maxPositions, config.seqLen + config.sampleTokens),
    adam: { beta1: config.beta1, beta2: config.beta2, eps: config.eps },
    gradClip: config.gradClip,
    clipByBlock: config.gradClipMode === 'block',
    updateAtOnce: updateAtOnce && config.gradClipMode === 'block' && config.gradAccum === 1,
    optimizerState: config.optimizerState,
    recompute: config.recompute,
    kernels,
    dispatchFlops,
    shardBytes,
    abridged: false,
  };
}

/** For the base model beside the tuned one: it answers the same prompts at the same length with the same kernels. */
export const inferenceInput = (run: PlanInput): PlanInput => ({
  ...run,
  purpose: 'generate',
  slots: 0,
  lowest: run.shape.layers,
  alwaysOn: { embedding: false, norm: false, head: false },
  sampled: [],
  emptyDraws: false,
  layerNorms: false,
  trainedRows: NO_ROWS,
  lora: null,
  // No prompt is longer than the cache.
  rows: Math.min(run.rows, run.cacheTokens),
});

/** For the loss of the exported model: full precision, over batches of the run's shape, with its kernels. */
export const evaluationInput = (run: PlanInput): PlanInput => ({
  ...inferenceInput(run),
  purpose: 'evaluate',
  types: 'f32',
  rows: run.rows,
  cacheTokens: 0,
  recompute: 'off',
  optimizerState: 'f32',
  clipByBlock: false,
  updateAtOnce: false,
});
