// What a run's plan depends on, and nothing else: model shape, method, batch shape. Two runs with equal input
// have equal plans, byte for byte.

import type { Method, RunConfig } from '../config/run-config';
import { lowestLayer, mostLayers, type ScheduleConfig } from '../lisa/schedule';
import { SHARD_BYTES } from '../model/shards';
import type { OptimizerState } from '../shaders/adamw/adamw';
import type { AttentionFamily } from '../shaders/attention/attention';
import type { MatmulFamily } from '../shaders/matmul/matmul';
import type { ModelShape, CheckpointTypes } from '../model/types';
import type { Extents } from '../dispatch/extents';

interface AlwaysOn {
  readonly embedding: boolean;
  readonly norm: boolean;
  readonly head: boolean;
}

export interface PlanInput {
  /** 'generate': new tokens over the cache and nothing else, for a model that only answers. */
  readonly purpose: 'train' | 'generate';
  readonly shape: ModelShape;
  readonly method: Method;
  /** Optimizer slots: the most layers that any draw of the run trains at once. */
  readonly slots: number;
  /** The lowest layer that any draw of the run trains; saved activations exist from here up. 0 when the embedding trains. */
  readonly lowest: number;
  /** Always-on tensors that train. With tied weights the head is the embedding, and `head` is false. */
  readonly alwaysOn: AlwaysOn;
  readonly lora: { readonly rank: number; readonly alpha: number } | null;
  /** Which tensors may be packed (storage.ts); 'f32' if everything is stored as f32. */
  readonly types: CheckpointTypes;
  /** Capacity: N = B·T tokens of a micro-batch. */
  readonly rows: number;
  /** T */
  readonly seqLen: number;
  /** Tokens that the K/V cache holds while sampling. */
  readonly cacheTokens: number;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly eps: number };
  /** 0: no clipping. */
  readonly gradClip: number;
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
    weights: config.lisaWeights,
  };
}

/** Tied weights are one tensor with one switch: either name turns it on. */
function trainedAlwaysOn(shape: ModelShape, config: RunConfig): AlwaysOn {
  if (config.method === 'lora') return { embedding: false, norm: false, head: false };
  const { embedding, head, norm } = config.method === 'full' ? { embedding: true, head: true, norm: true } : config.alwaysOn;
  return shape.tied ? { embedding: embedding || head, norm, head: false } : { embedding, norm, head };
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
}

export function planInput(
  shape: ModelShape,
  config: RunConfig,
  { draws, kernels = DEFAULT_KERNELS, dispatchFlops = LEAST_DISPATCH_FLOPS, shardBytes = SHARD_BYTES, types = 'f32' }: PlanOptions = {},
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
    lora: config.method === 'lora' ? { rank: config.loraRank, alpha: config.loraAlpha } : null,
    types: config.weightStorage === 'stored' ? types : 'f32',
    rows: config.batchSize * config.seqLen,
    seqLen: config.seqLen,
    cacheTokens: Math.min(shape.maxPositions, config.seqLen + config.sampleTokens),
    adam: { beta1: config.beta1, beta2: config.beta2, eps: config.eps },
    gradClip: config.gradClip,
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
  lora: null,
  // No prompt is longer than the cache.
  rows: Math.min(run.rows, run.cacheTokens),
});
