// Folders that the terminal exports, and what our engine computes from them. transformers and PEFT open the folders and
// are compared with our engine.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runFinetune } from '../../src/cli/finetune/run';
import { openGpu, type Gpu } from '../../src/gpu/device';
import { exportModel } from '../../src/export/folder';
import { openModel } from '../../src/io/sources/model-files';
import { writeFolder } from '../../src/io/node/output';
import { nodeSource } from '../../src/io/node/source';
import { randomStream } from '../../src/base/random';
import { FIXTURES } from '../../src/testing/fixtures';
import { writeTinyModel } from '../../src/testing/tiny-folder';
import { ourAnswer } from '../judges/ours';

/** Number of tokens to continue with, greedily. */
const MORE = 12;
/** Parts small enough that the built-in model needs several. */
const SHARD_BYTES = 2e6;

/** Read by exports.py. */
interface Case {
  readonly name: string;
  /** The merged model. */
  readonly folder: string;
  /** For LoRA: the base of the adapter in `folder`/adapter. */
  readonly base: string | null;
  readonly ids: readonly number[];
  readonly greedy: readonly number[];
  /** After every token of `ids`, over the vocabulary. */
  readonly logProbs: readonly (readonly number[])[];
}

const RUNS = [
  { name: 'LISA, f32', options: ['--method', 'lisa'] },
  { name: 'LISA, f16', options: ['--method', 'lisa', '--out-dtype', 'f16'] },
  { name: 'LISA, bf16', options: ['--method', 'lisa', '--out-dtype', 'bf16'] },
  { name: 'LoRA', options: ['--method', 'lora', '--lora-rank', '3'] },
];

/** Few steps at a rate that makes a visible difference. */
const QUICK = '--steps 4 --lr 0.01 --lisa-layers 1 --lisa-period 2 --batch-size 2 --seq-len 12 --eval-every 0 --save-every 0 --prompt';

/**
 * Writes the folders and cases.json to `scratch`.
 * @public run.mjs loads it.
 */
export async function writeCases(root: string, scratch: string, webgpu: GPU): Promise<void> {
  const gpu = await openGpu(webgpu);
  try {
    const data = path.join(scratch, 'data.jsonl');
    // Only bytes below 64: the smallest vocabulary ends there.
    const rows = Array.from({ length: 8 }, (_, i) => JSON.stringify({ text: `${i} + ${i * i} = ${i + i * i}.` }));
    writeFileSync(data, rows.join('\n'));
    const models = new Map(FIXTURES.map((name) => [name as string, writeTinyModel(path.join(scratch, name), name)]));
    models.set('wordsmith-2m', path.join(root, 'public/models/wordsmith-2m'));
    const cases: Case[] = [];
    for (const [model, start] of models) {
      for (const { name, options } of RUNS) {
        const folder = path.join(scratch, `${model} ${name}`.replace(/[^\w-]+/g, '-'));
        await train([...QUICK.split(' '), '1 +', '--model', start, '--data', data, '--out', folder, ...options], root, gpu);
        cases.push(await said(gpu, `${model}, ${name}`, folder, name === 'LoRA' ? start : null));
      }
    }
    const start = models.get('wordsmith-2m')!;
    const files = await openModel(await nodeSource(start));
    const folder = path.join(scratch, 'shards');
    await writeFolder(folder, (await exportModel({ files, tensor: files.tensor, dtype: 'f32', shardBytes: SHARD_BYTES })).files);
    cases.push(await said(gpu, 'wordsmith-2m, untrained, in shards', folder, null));
    writeFileSync(path.join(scratch, 'cases.json'), JSON.stringify(cases));
  } finally {
    gpu.close();
  }
}

async function train(args: readonly string[], root: string, gpu: Gpu): Promise<void> {
  let said = '';
  const status = await runFinetune(args, {
    stdout: () => undefined,
    stderr: (text) => (said += text),
    openGpu: () => Promise.resolve({ ...gpu, close: () => undefined }),
    onStop: () => () => undefined,
    publicFolder: path.join(root, 'public'),
    env: {},
    debug: true,
  });
  if (status !== 0) throw new Error(`finetune ${args.join(' ')}: ${said}`);
}

async function said(gpu: Gpu, name: string, folder: string, base: string | null): Promise<Case> {
  const files = await openModel(await nodeSource(folder));
  const random = randomStream(11, name);
  const length = Math.min(files.shape.maxPositions, 48) - MORE;
  const ids = Array.from({ length }, () => random.nextBelow(files.shape.vocab));
  const { logProbs, greedy } = await ourAnswer(gpu, files, files.tensor, ids, MORE);
  return { name, folder, base, ids, greedy, logProbs: logProbs.map((row) => [...row]) };
}
