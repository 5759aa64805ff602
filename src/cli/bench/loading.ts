// How much JavaScript memory it takes to move a model: from files to the GPU, into a checkpoint and back from it, and out
// again as a tuned model and as a delta. A generated model of about 500 MB stands for one of any size: the figures
// would show a tensor or a file that is ever whole in memory. They do not include the GPU's own memory, not even on a
// software adapter.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DEFAULTS, type RunConfig } from '../../config/run-config';
import type { Gpu } from '../../gpu/device';
import { plainFile, type ExportFile } from '../../io/formats/export-file';
import { NodeCheckpoints } from '../../io/node/checkpoints';
import { writeFolder } from '../../io/node/output';
import { nodeSource } from '../../io/node/source';
import { writeSafetensors } from '../../io/formats/safetensors';
import { parseModelConfig } from '../../model/config';
import { parameterTable } from '../../model/parameters';
import type { Dtype } from '../../model/types';
import { exportDelta } from '../../export/run-delta';
import { exportTuned } from '../../export/run';
import { prepareInputs, type RunInputs } from '../../train/prepare';
import { Session } from '../../train/session';
import type { SessionHost } from '../../train/session-host';
import { randomWeights } from './models';
import { mega, table } from './print';

/** Must be enough for a model of any size. In bytes above what the program had before. */
export const LOADING_LIMIT = 128 * 2 ** 20;

export interface LoadingCase {
  readonly id: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly dtype: Dtype;
}

const llama = { model_type: 'llama', hidden_act: 'silu', rms_norm_eps: 1e-5, max_position_embeddings: 512 } as const;

/** One tensor above all bounds (Qwen2.5-0.5B's embedding: 544 MB in f32), and many below. */
export const LOADING_CASES: readonly LoadingCase[] = [
  {
    id: 'wide vocabulary',
    dtype: 'f32',
    config: {
      ...llama,
      vocab_size: 151936,
      hidden_size: 896,
      intermediate_size: 256,
      num_hidden_layers: 1,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      tie_word_embeddings: true,
    },
  },
  {
    id: 'many layers',
    dtype: 'bf16',
    config: {
      ...llama,
      vocab_size: 4096,
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 15,
      num_attention_heads: 16,
      num_key_value_heads: 16,
      tie_word_embeddings: false,
    },
  },
];

const RUN: RunConfig = {
  ...DEFAULTS,
  method: 'lisa',
  steps: 2,
  warmup: 0,
  seqLen: 8,
  batchSize: 1,
  lisaLayers: 1,
  alwaysOn: { embedding: false, head: false, norm: true },
  evalSplit: 0,
  prompts: ['a'],
  sampleTokens: 1,
};

export interface LoadingProof {
  readonly model: string;
  /** Bytes of the weights' file, and of its largest tensor in f32. */
  readonly file: number;
  readonly largest: number;
  /** The most by which the heap and external memory in use (array buffers included) exceeded the baseline, by stage. In bytes. */
  readonly peaks: readonly { readonly stage: string; readonly bytes: number }[];
}

/** Runs the garbage collector on demand, without a process flag. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** In bytes; `external` has the array buffers in it. */
function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Samples on a timer, and on request, how much memory is in use. Garbage that waits for its collection does not count. */
class PeakMeter {
  readonly #collect = collector();
  #peak = 0;

  sample = (): void => {
    if (inUse() <= this.#peak) return;
    this.#collect();
    this.#peak = Math.max(this.#peak, inUse());
  };

  async of(work: () => Promise<void>): Promise<number> {
    this.#collect();
    this.#peak = 0;
    this.sample();
    const baseline = this.#peak;
    const timer = setInterval(this.sample, 2);
    try {
      await work();
      this.sample();
    } finally {
      clearInterval(timer);
    }
    return this.#peak - baseline;
  }
}

/** Writes the model's folder; `tokenizer` is a folder with a tokenizer of fewer tokens. Returns the size of the weights. */
async function writeModel(folder: string, { config, dtype }: LoadingCase, tokenizer: string): Promise<number> {
  const values = randomWeights();
  const weights = writeSafetensors(
    parameterTable(parseModelConfig(config, 'config.json')).map((row, index) => ({
      name: row.name,
      dtype,
      shape: row.shape,
      data: (start: number, end: number) => values(row, index, start, end),
    })),
    { format: 'pt' },
  );
  const files: ExportFile[] = [
    { path: 'model.safetensors', size: weights.size, chunks: () => weights.chunks() },
    plainFile('config.json', new TextEncoder().encode(JSON.stringify(config))),
  ];
  for (const path of ['tokenizer.json', 'tokenizer_config.json'])
    files.push(plainFile(path, new Uint8Array(await readFile(join(tokenizer, path)))));
  await writeFolder(folder, files);
  return weights.size;
}

/** Generates the model in a temporary folder, which is removed afterwards. */
export async function measureLoading(gpu: Gpu, of: LoadingCase, tokenizer: string): Promise<LoadingProof> {
  const folder = await mkdtemp(join(tmpdir(), 'lisa-loading-'));
  try {
    const file = await writeModel(join(folder, 'model'), of, tokenizer);
    const meter = new PeakMeter();
    const peaks: { stage: string; bytes: number }[] = [];
    const stage = async (name: string, work: () => Promise<void>): Promise<void> => {
      peaks.push({ stage: name, bytes: await meter.of(work) });
    };
    const checkpoints = new NodeCheckpoints(join(folder, 'checkpoint'));
    const host: SessionHost = {
      checkpoints,
      emit: meter.sample,
      gate: () => Promise.resolve('stop'),
      discarded: () => false,
      proof: 'on request',
    };
    const text = new TextEncoder().encode('A model of any size goes through a small window.\n'.repeat(8));
    let inputs: RunInputs | null = null;
    let session: Session | null = null;
    const open = async (resume: boolean): Promise<void> => {
      const model = await nodeSource(join(folder, 'model'));
      inputs = await prepareInputs(RUN, { model, data: { name: 'text.txt', bytes: text }, evalData: null });
      session = await Session.create(gpu, inputs, host, resume ? await checkpoints.open() : null);
    };
    const close = (): void => {
      session?.close();
      session = null;
    };
    try {
      await stage('load', () => open(false));
      await stage('read back, frozen proof', () => session!.verify());
      await stage('checkpoint', () => session!.save());
      close();
      await stage('load and resume', () => open(true));
      for (const dtype of ['f32', 'bf16'] as const)
        await stage(`export ${dtype}`, async () => writeFolder(join(folder, dtype), (await exportTuned(session!, dtype)).files));
      await stage('export delta', async () => writeFolder(join(folder, 'delta'), await exportDelta(session!)));
      const sizes = inputs!.files.table.map((row) => row.shape.reduce((product, size) => product * size, 4));
      return { model: of.id, file, largest: Math.max(...sizes), peaks };
    } finally {
      close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function describeLoading({ model, file, largest, peaks }: LoadingProof, limit: number): string {
  return [
    `${model}: a file of ${mega(file)}, its largest tensor ${mega(largest)} in f32; heap and external memory above the baseline`,
    table(
      ['stage', 'peak', `within ${mega(limit)}`],
      peaks.map(({ stage, bytes }) => [stage, mega(bytes), bytes <= limit ? 'yes' : 'NO']),
    ),
    '',
  ].join('\n');
}
