// Reads the float64 PyTorch fixtures (Node only). src/testing/fixtures/README.md says what the files hold.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { valueRef } from '../shaders/storage/storage.ref';

export const FIXTURES = [
  'tiny-gpt2',
  'tiny-llama',
  'tiny-llama-bias',
  'tiny-llama-linear',
  'tiny-llama3',
  'tiny-mistral',
  'tiny-qwen2',
  'tiny-qwen3',
  'tiny-gemma3',
  'tiny-smollm3',
  'tiny-granite',
] as const;
export type FixtureName = (typeof FIXTURES)[number];
export const RUNS = ['full', 'lisa', 'lisa-layers', 'lora'] as const;
type RunName = (typeof RUNS)[number];

interface FixtureTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}
export type FixtureTensors = ReadonlyMap<string, FixtureTensor>;

/** Inputs ids[0 .. T), labels ids[1 .. T]; if target[i] = 1, predicting ids[i] counts toward the loss. Both have T + 1 entries. */
interface FixtureDocument {
  readonly ids: readonly number[];
  readonly target: readonly number[];
}
export type FixtureBatch = readonly FixtureDocument[];

/** Elements from … to (exclusive, flat) of a tensor whose gradient is zero in theory; float32 and float64: the largest magnitude found. */
export interface ZeroRange {
  readonly tensor: string;
  readonly from: number;
  readonly to: number;
  readonly float32: number;
  readonly float64: number;
}

interface FixtureGradients {
  /** Index of the batch. */
  readonly batch: number;
  /** Mean over the targets. */
  readonly loss: number;
  readonly targets: number;
  readonly zeroInTheory: readonly ZeroRange[];
  /** Relative errors of float32 PyTorch; for tensors in the L2 norm. */
  readonly float32: { readonly loss: number; readonly logits: number; readonly gradients: Readonly<Record<string, number>> };
  /** [targets, vocab], in stream order. */
  readonly logits: FixtureTensor;
  readonly gradients: FixtureTensors;
}

export interface FixtureRun {
  readonly method: 'full' | 'lisa' | 'lora';
  readonly steps: number;
  /** Indices of the batches of each optimizer step. */
  readonly microBatches: readonly (readonly number[])[];
  readonly optimizer: {
    readonly lr: number;
    readonly lrSchedule: 'cosine';
    readonly warmup: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly eps: number;
    readonly weightDecay: number;
    readonly gradClip: number;
  };
  readonly lisa: {
    readonly period: number;
    readonly draws: readonly (readonly number[])[];
    readonly train: { readonly embedding: boolean; readonly head: boolean; readonly norm: boolean };
  } | null;
  readonly lora: { readonly rank: number; readonly alpha: number } | null;
  /** Tensors that weight decay acts on. */
  readonly decayed: readonly string[];
  readonly losses: readonly number[];
  /** Before clipping. */
  readonly gradNorms: readonly number[];
  readonly learningRates: readonly number[];
  /** After the last step: how many updates m and v of each tensor with state have seen. */
  readonly stateSteps: Readonly<Record<string, number>>;
  readonly zeroInTheory: readonly ZeroRange[];
  readonly float32: {
    readonly losses: readonly number[];
    readonly gradNorms: readonly number[];
    readonly updates: Readonly<Record<string, number>>;
  };
  /** W − W0 of every tensor that trained at any time. */
  readonly updates: FixtureTensors;
}

export interface FixtureModel {
  /** Absolute path of the model's folder, in Hugging Face layout. */
  readonly directory: string;
  /** config.json, parsed. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: FixtureTensors;
  readonly vocab: number;
  readonly batches: readonly FixtureBatch[];
  readonly gradients: FixtureGradients;
}

export interface Fixture extends FixtureModel {
  readonly name: FixtureName;
  /** LoRA's A and B before the first step: '<path>.lora_A.weight' [r, in], '<path>.lora_B.weight' [out, r]. */
  readonly adapters: FixtureTensors;
  run(name: RunName): FixtureRun;
}

const pathOf = (relative: string): string => fileURLToPath(new URL(`./fixtures/${relative}`, import.meta.url));
export const fixtureJson = <T>(relative: string): T => JSON.parse(readFileSync(pathOf(relative), 'utf8')) as T;

/** The parts that every fixture has. */
export function fixtureModel(name: string): FixtureModel {
  const { vocab, batches } = fixtureJson<{ vocab: number; batches: FixtureBatch[] }>(`${name}/batches.json`);
  const logits = readTensors(`${name}/logits.safetensors`).get('logits');
  if (!logits) throw new Error(`${name}/logits.safetensors holds no logits.`);
  return {
    directory: pathOf(name),
    config: fixtureJson(`${name}/config.json`),
    weights: readTensors(`${name}/model.safetensors`),
    vocab,
    batches,
    gradients: {
      ...fixtureJson<Omit<FixtureGradients, 'logits' | 'gradients'>>(`${name}/gradients.json`),
      logits,
      gradients: readTensors(`${name}/gradients.safetensors`),
    },
  };
}

export const loadFixture = (name: FixtureName): Fixture => ({
  ...fixtureModel(name),
  name,
  adapters: readTensors(`${name}/lora-start.safetensors`),
  run: (run) => ({
    ...fixtureJson<Omit<FixtureRun, 'updates'>>(`${name}/run-${run}.json`),
    updates: readTensors(`${name}/run-${run}.safetensors`),
  }),
});

export interface Golden {
  readonly input_ids: readonly (readonly number[])[];
  readonly logits: { readonly positions: readonly number[]; readonly values: readonly (readonly (readonly number[])[])[] };
  readonly loss: number;
  readonly gradients: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly norm: number; readonly first8: readonly number[] }>
  >;
  readonly adamw: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly losses: readonly number[];
  };
}

/** Reference values of the built-in model; its weights are in public/models. */
export const loadGolden = (): Golden => fixtureJson('wordsmith-2m.golden.json');

/** A .safetensors file of the fixtures. It does not use the project's reader, because these fixtures test that, too. */
export function readTensors(relative: string): FixtureTensors {
  const data = readFileSync(pathOf(relative));
  const headerEnd = 8 + Number(data.readBigUInt64LE(0));
  const header = JSON.parse(data.toString('utf8', 8, headerEnd)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, FixtureTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { buffer } = new Uint8Array(data.subarray(headerEnd + data_offsets[0], headerEnd + data_offsets[1]));
    tensors.set(name, { shape, values: valuesOf(dtype, buffer) });
  }
  return tensors;
}

function valuesOf(dtype: string, bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes);
    case 'F16':
    case 'BF16':
      return Float32Array.from(new Uint16Array(bytes), (code) => valueRef(code, dtype === 'F16' ? 'f16' : 'bf16'));
    default:
      throw new Error(`A fixture has a tensor of type ${dtype}.`);
  }
}

/** ‖got − want‖ / ‖want‖ over the elements outside the skipped ranges. */
export function relativeError(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  skip: readonly { readonly from: number; readonly to: number }[] = [],
): number {
  if (got.length !== want.length) throw new Error(`${got.length} values against ${want.length}.`);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < want.length; i++) {
    if (skip.some(({ from, to }) => i >= from && i < to)) continue;
    const reference = want[i];
    difference += (got[i] - reference) ** 2;
    size += reference ** 2;
  }
  return Math.sqrt(difference / size);
}
