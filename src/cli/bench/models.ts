// The models that the benchmarks run: the built-in one with its weights, and public shapes with random weights,
// because speed and memory depend on shapes and not on what the weights say.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildMicroBatch, type MicroBatch } from '../../data/batch/batch';
import { AppError } from '../../base/errors';
import { BUILTIN_MODELS } from '../../io/sources/builtin';
import { openModel, type TensorPiece } from '../../io/sources/model-files';
import { nodeSource } from '../../io/node/source';
import { piecesOf } from '../../io/formats/pieces';
import { parseModelConfig } from '../../model/config';
import { parameterTable } from '../../model/parameters';
import { PUBLIC_CONFIGS } from '../../model/public-configs';
import { elementsOf, type ModelShape, type ParameterRow, type CheckpointTypes } from '../../model/types';
import { randomStream } from '../../base/random';

/** public/ of the project, seen from dist-node/. */
const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

/** The first built-in model. */
export const BUILTIN_FOLDER = join(PUBLIC, BUILTIN_MODELS[0].path);

export interface BatchShape {
  /** B */
  readonly batchSize: number;
  /** T: tokens of every row. */
  readonly seqLen: number;
}

export interface BenchModel {
  readonly id: string;
  readonly shape: ModelShape;
  /** The type that weights may be stored as; bf16 for random ones, as in most public checkpoints. */
  readonly types: CheckpointTypes;
  /** Batches that run when none is asked for: on a software renderer, and on a GPU. */
  readonly batch: { readonly software: BatchShape; readonly hardware: BatchShape };
  pieces(): AsyncIterable<TensorPiece> | Iterable<TensorPiece>;
  /** Elements [start, end) of a tensor. */
  tensor(row: ParameterRow, start: number, end: number): Promise<Float32Array<ArrayBuffer>>;
}

const llama = { model_type: 'llama', hidden_act: 'silu', rms_norm_eps: 1e-5 } as const;

/** `nano-` and `mid-` are ours. */
const CONFIGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'gpt2-124m': PUBLIC_CONFIGS['gpt2-124m'],
  'smollm2-135m': PUBLIC_CONFIGS['smollm2-135m'],
  'mid-llama': {
    ...llama,
    vocab_size: 8192,
    hidden_size: 512,
    intermediate_size: 1408,
    num_hidden_layers: 8,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    max_position_embeddings: 512,
    tie_word_embeddings: false,
  },
  'nano-gpt2': { model_type: 'gpt2', vocab_size: 1024, n_embd: 128, n_layer: 4, n_head: 4, n_positions: 64 },
  'mid-gpt2': { model_type: 'gpt2', vocab_size: 16384, n_embd: 512, n_layer: 6, n_head: 8, n_positions: 512 },
};

export const MODEL_IDS: readonly string[] = ['wordsmith-2m', ...Object.keys(CONFIGS)];

/** Throws CONFIG_INVALID for a name that is not known. */
export async function benchModel(id: string): Promise<BenchModel> {
  const builtin = BUILTIN_MODELS.find((m) => m.id === id);
  if (builtin) {
    const files = await openModel(await nodeSource(join(PUBLIC, builtin.path)));
    return {
      id,
      shape: files.shape,
      types: files.types,
      batch: { software: { batchSize: 4, seqLen: 63 }, hardware: { batchSize: 16, seqLen: 256 } },
      pieces: () => files.pieces(),
      tensor: (...part) => files.tensor(...part),
    };
  }
  const config = CONFIGS[id];
  if (!config) throw new AppError('CONFIG_INVALID', `--model: '${id}' is not known.`, `Give one or more of ${MODEL_IDS.join(', ')}.`);
  const shape = parseModelConfig(config, `${id}/config.json`);
  return {
    id,
    shape,
    types: 'bf16',
    batch: { software: { batchSize: 1, seqLen: 32 }, hardware: { batchSize: 4, seqLen: 512 } },
    pieces: () => randomPieces(shape),
    tensor: (row, start, end) => {
      const index = parameterTable(shape).findIndex(({ name }) => name === row.name);
      return Promise.resolve(randomWeights()(row, index, start, end));
    },
  };
}

/** Prime, so that rows of a matrix differ although the values repeat. */
const POOL = 1_000_003;

/** Random weights: elements [start, end) of the tensor that is `index`th in the table. The same arguments give the same weights. */
export function randomWeights(): (row: ParameterRow, index: number, start: number, end: number) => Float32Array<ArrayBuffer> {
  const stream = randomStream(1, 'bench', 'weights');
  // Uniform with a standard deviation of 0.02.
  const pool = Float32Array.from({ length: POOL }, () => (stream.nextU32() / 2 ** 31 - 1) * 0.02 * Math.sqrt(3));
  return (row, index, start, end) => {
    const data = new Float32Array(end - start);
    if (row.role === 'norm') return data.fill(row.local.endsWith('bias') ? 0 : 1);
    if (row.role === 'bias') return data;
    let at = (index * 7919 + start) % POOL;
    for (let filled = 0; filled < data.length; at = 0) {
      const part = pool.subarray(at, at + data.length - filled);
      data.set(part, filled);
      filled += part.length;
    }
    return data;
  };
}

function* randomPieces(shape: ModelShape): Generator<TensorPiece> {
  const values = randomWeights();
  for (const [index, row] of parameterTable(shape).entries()) {
    for (const [start, end] of piecesOf(elementsOf(row))) yield { row, start, data: values(row, index, start, end) };
  }
}

/** A batch of B rows of T random tokens each, all of which count toward the loss. The same sizes give the same batch. */
export function benchBatch(shape: ModelShape, { batchSize, seqLen }: BatchShape): MicroBatch {
  const stream = randomStream(1, 'bench', 'batch');
  return buildMicroBatch(
    Array.from({ length: batchSize }, () => [
      {
        ids: Uint32Array.from({ length: seqLen + 1 }, () => stream.nextBelow(shape.vocab)),
        target: Uint8Array.from({ length: seqLen + 1 }, (_, i) => (i === 0 ? 0 : 1)),
      },
    ]),
  );
}
