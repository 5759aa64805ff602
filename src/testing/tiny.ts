// Models of a few thousand parameters with seeded weights, on the engine: for tests of invariants of training that need no outside
// reference.

import { createHash } from 'node:crypto';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import { buildMicroBatch, type MicroBatch } from '../data/batch/batch';
import type { StepData } from '../data/batch/loader';
import type { Sample } from '../data/read/types';
import type { Gpu } from '../gpu/device';
import { nodeLab } from './node-lab';
import { parseModelConfig } from '../model/config';
import { parameterTable } from '../model/parameters';
import { elementsOf, type ModelShape, type ParameterRow } from '../model/types';
import { planInput, type PlanOptions } from '../plan/input';
import type { ShardedBuffer } from '../plan/sharded-buffer';
import { randomStream } from '../base/random';
import { Engine } from '../engine/engine';
import { truthOf } from '../engine/truth';
import { memoryScratch } from '../io/formats/scratch';
import { initialA, loraSites } from '../engine/lora';

const llama = {
  model_type: 'llama',
  vocab_size: 61,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 4,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 40,
  tie_word_embeddings: true,
};

/** Sizes are not multiples of a tile. Head dim is 8 and widths are multiples of 4, so that all models share compiled kernels. */
export const TINY: Readonly<Record<'tied Llama' | 'untied Llama' | 'Qwen3' | 'GPT-2' | 'Gemma 3', ModelShape>> = {
  'tied Llama': parseModelConfig(llama, 'tied'),
  'untied Llama': parseModelConfig({ ...llama, tie_word_embeddings: false, attention_bias: true, mlp_bias: true }, 'untied'),
  Qwen3: parseModelConfig({ ...llama, model_type: 'qwen3', num_hidden_layers: 3, num_attention_heads: 4, head_dim: 8 }, 'qwen3'),
  'GPT-2': parseModelConfig(
    { model_type: 'gpt2', vocab_size: 59, n_embd: 16, n_layer: 3, n_head: 2, n_inner: 28, n_positions: 40 },
    'gpt2',
  ),
  'Gemma 3': parseModelConfig(
    {
      model_type: 'gemma3_text',
      vocab_size: 61,
      hidden_size: 16,
      intermediate_size: 24,
      num_hidden_layers: 4,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 8,
      max_position_embeddings: 40,
      sliding_window: 5,
      sliding_window_pattern: 2,
      query_pre_attn_scalar: 8,
    },
    'gemma3',
  ),
};
export type TinyName = keyof typeof TINY;
/** Those whose blocks differ in what the invariants are about; Gemma's are proven against PyTorch (train/oracle.gpu.test.ts). */
export const TINY_NAMES = (Object.keys(TINY) as TinyName[]).filter((name) => name !== 'Gemma 3');

export const tinyConfig = (changes: Partial<RunConfig> = {}): RunConfig => ({
  ...DEFAULTS,
  steps: 40,
  seqLen: 9,
  batchSize: 2,
  sampleTokens: 8,
  lr: 0.01,
  lrSchedule: 'constant',
  warmup: 0,
  weightDecay: 0.1,
  lisaLayers: 2,
  stepsPerPeriod: 3,
  loraRank: 2,
  loraAlpha: 4,
  ...changes,
});

/** Matrices are uniform with a standard deviation of about 0.25, norms near one, biases small. */
export function tinyTensor(row: ParameterRow, seed = 1): Float32Array<ArrayBuffer> {
  const random = randomStream(seed, 'tiny', row.name);
  const spread = row.role === 'norm' || row.role === 'bias' ? 0.1 : 0.45;
  const centre = row.role === 'norm' && row.local.endsWith('weight') ? 1 : 0;
  return Float32Array.from({ length: elementsOf(row) }, () => centre + (random.nextFloat() * 2 - 1) * spread);
}

export interface TinyOptions extends PlanOptions {
  readonly gpu?: Gpu;
  readonly seed?: number;
  /** Tokens whose rows train, where a matrix trains by rows; rising. */
  readonly tokens?: Uint32Array;
}

/** An engine with seeded weights. The caller closes it. */
export async function tinyEngine(
  shape: ModelShape,
  config: RunConfig,
  { gpu, seed = 1, tokens, ...options }: TinyOptions = {},
): Promise<Engine> {
  const lab = await nodeLab();
  const engine = await Engine.create(gpu ?? lab.gpu, planInput(shape, config, { dataTokens: tokens?.length, ...options }), {
    validate: true,
    tokens,
    truth: truthOf(
      (row, start, end) => Promise.resolve(tinyTensor(row, seed).slice(start, end)),
      () => Promise.resolve(memoryScratch()),
    ),
  });
  for (const row of parameterTable(shape)) await engine.writeTensor(row, tinyTensor(row, seed));
  engine.plan.buffers.adapters.forEach((_, layer) => {
    for (const { op, slice, a } of loraSites(shape)) engine.writeAdapter(layer, a, initialA(seed, layer, slice, config.loraRank, op.in));
  });
  return engine;
}

/** Documents of these lengths (inputs) with random tokens; about `share` of them count toward the loss, and the last always does. */
export function tinySamples(shape: ModelShape, lengths: readonly number[], seed: number, share = 0.7): Sample[] {
  const random = randomStream(seed, 'tiny batch');
  return lengths.map((length) => ({
    ids: Uint32Array.from({ length: length + 1 }, () => random.nextBelow(shape.vocab)),
    target: Uint8Array.from({ length: length + 1 }, (_, i) => (i > 0 && (i === length || random.nextFloat() < share) ? 1 : 0)),
  }));
}

export const microBatch = (samples: readonly Sample[]): MicroBatch => buildMicroBatch(samples.map((sample) => [sample]));

export function stepData(microBatches: readonly MicroBatch[]): StepData {
  const sum = (of: (batch: MicroBatch) => number): number => microBatches.reduce((total, batch) => total + of(batch), 0);
  return { microBatches, targets: sum((b) => b.targets), tokens: sum((b) => b.rows) };
}

/** A step of one micro-batch with two documents. */
export const tinyStep = (shape: ModelShape, seed: number): StepData => stepData([microBatch(tinySamples(shape, [9, 6], seed))]);

/** SHA-256 of the bytes of a block, a gradient or a state on the GPU. */
export async function hashOf(engine: Engine, sharded: ShardedBuffer): Promise<string> {
  return createHash('sha256')
    .update(await engine.readSharded(sharded))
    .digest('hex');
}

/** By block name ('layer.2'); adapters as 'adapter.2'. */
export async function weightHashes(engine: Engine): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [name, { weights }] of engine.plan.buffers.blocks) hashes[name] = await hashOf(engine, weights);
  for (const [layer, { weights }] of engine.plan.buffers.adapters.entries()) hashes[`adapter.${layer}`] = await hashOf(engine, weights);
  return hashes;
}
