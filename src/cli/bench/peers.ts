// Other WebGPU libraries on the same device, in processes of their own that take turns with ours: a matrix product
// in jax-js and TensorFlow.js, and a full training step of the same tiny GPT-2 in jax-js.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../base/errors';
import { Allocator } from '../../gpu/allocator';
import type { Gpu } from '../../gpu/device';
import { Executor } from '../../gpu/executor';
import { frameSpec } from '../../dispatch/frame';
import { elementsOf, type ModelShape } from '../../model/types';
import type { KernelChoice } from '../../plan/input';
import { buildParamTable } from '../../dispatch/params';
import { FULL_VIEW, type BufferSpec, type Segment } from '../../dispatch/types';
import type { Extents } from '../../dispatch/extents';
import { matmul } from '../../shaders/matmul/matmul';
import { benchModel, type BatchShape, type BenchModel } from './models';
import { digits, median, table } from './print';
import { Rig } from './rig';

/** bench/peers of the project, seen from dist-node/. */
const FOLDER = fileURLToPath(new URL('../bench/peers/', import.meta.url));
const SIDE = 512;
/** Products in one measurement: enough that submitting and reading back hardly count. */
const REPEAT = 2;
const GPT = 'nano-gpt2';
const GPT_BATCH: BatchShape = { batchSize: 2, seqLen: 64 };
const GPT_SETTINGS = { lr: 1e-3, gradClip: 0, weightDecay: 0 };

interface PeerRow {
  readonly task: string;
  readonly library: string;
  /** Why it did not run. */
  readonly error?: string;
  readonly ms: readonly number[];
  readonly medianMs: number;
  readonly gflops: number;
  /** Median over the rounds of its time / ours in the same round. */
  readonly againstOurs: number;
  /** What every measurement computed: an element of the product; the loss of the step. */
  readonly values: readonly number[];
}

export interface PeerReport {
  readonly rounds: number;
  readonly rows: readonly PeerRow[];
}

/** A library under measurement: run() resolves with what it computed. */
interface Contestant {
  readonly task: string;
  readonly library: string;
  readonly flops: number;
  run(): Promise<{ readonly ms: number; readonly value: number }>;
  close(): void;
}

/** `choose` names the kernels for a shape and a number of rows. The libraries are installed (installPeers). */
export async function comparePeers(
  gpu: Gpu,
  choose: (shape: ModelShape, rows: number) => Promise<KernelChoice>,
  rounds: number,
): Promise<PeerReport> {
  const scratch = await mkdtemp(join(tmpdir(), 'lisa-bench-'));
  try {
    const model = await benchModel(GPT);
    const kernels = await choose(model.shape, GPT_BATCH.batchSize * GPT_BATCH.seqLen);
    const product = `${SIDE}×${SIDE}×${SIDE} product`;
    const products = await race(
      [
        await ourProduct(gpu, product, kernels),
        ...['jax', 'tfjs'].map(
          (library) => () => peer(library, product, `${library}-matmul`, { n: SIDE, repeat: REPEAT }, 2 * REPEAT * SIDE ** 3),
        ),
      ],
      rounds,
    );
    const ours = await ourStep(gpu, model, kernels);
    await writeTask(model, ours.rig, scratch);
    const steps = await race([ours, () => peer('jax', ours.task, 'jax-gpt', { folder: scratch }, ours.flops)], rounds);
    return { rounds, rows: [...products, ...steps] };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The libraries take turns, so that a busy machine slows all alike. The first in the list is ours. */
async function race(
  [ours, ...others]: readonly [Contestant, ...(() => Promise<Contestant | PeerRow>)[]],
  rounds: number,
): Promise<PeerRow[]> {
  const made = await Promise.all(others.map((start) => start()));
  const running = [ours, ...made.filter((one): one is Contestant => 'run' in one)];
  const results = new Map(running.map((one) => [one, [] as { ms: number; value: number }[]]));
  const failed = new Map<Contestant, string>();
  try {
    // The first round compiles.
    for (let round = 0; round <= rounds; round++) {
      for (const one of running) {
        if (failed.has(one)) continue;
        try {
          results.get(one)!.push(await one.run());
        } catch (error) {
          if (one === ours) throw error;
          failed.set(one, (error as Error).message);
        }
      }
    }
  } finally {
    running.forEach((one) => one.close());
  }
  const timed = (one: Contestant): number[] =>
    results
      .get(one)!
      .slice(1)
      .map(({ ms }) => ms);
  const rows = running.map((one): PeerRow => {
    const { task, library, flops } = one;
    const error = failed.get(one);
    if (error !== undefined) return notRun(task, library, error);
    const ms = timed(one);
    const values = results.get(one)!.map(({ value }) => value);
    return {
      task,
      library,
      ms,
      medianMs: median(ms),
      gflops: flops / median(ms) / 1e6,
      againstOurs: median(ms.map((time, i) => time / timed(ours)[i])),
      values,
    };
  });
  return [...rows, ...made.filter((one): one is PeerRow => !('run' in one))];
}

const notRun = (task: string, library: string, error: string): PeerRow => ({
  task,
  library,
  error,
  ms: [],
  medianMs: NaN,
  gflops: NaN,
  againstOurs: NaN,
  values: [],
});

async function ourProduct(gpu: Gpu, task: string, kernels: KernelChoice): Promise<Contestant> {
  const bytes = SIDE * SIDE * 4;
  const square = (name: string): BufferSpec => ({ name, bytes, memory: 'activations', kind: 'storage' });
  const [y, a, b] = ['y', 'a', 'b'].map(square);
  const staging: BufferSpec = { name: 'staging', bytes: 16, memory: 'staging', kind: 'readback' };
  const one = matmul({
    label: task,
    layout: 'nn',
    y: FULL_VIEW(y),
    a: FULL_VIEW(a),
    b: FULL_VIEW(b),
    m: SIDE,
    n: SIDE,
    k: SIDE,
    family: kernels.matmul,
  });
  const segment: Segment = { name: task, dispatches: Array.from({ length: REPEAT }, () => one) };
  const params = buildParamTable([segment]);
  const frame = frameSpec();
  const allocator = new Allocator(gpu.device);
  await allocator.allocate([y, a, b, staging, params.spec, frame]);
  const executor = new Executor(gpu, allocator, params, frame);
  const extents: Extents = { rows: SIDE, targets: SIDE, tokenGroups: 0, positionGroups: 0, pairs: 0 };
  executor.writeFrame({ extents });
  executor.write(FULL_VIEW(a), new Float32Array(SIDE * SIDE).fill(1));
  executor.write(FULL_VIEW(b), new Float32Array(SIDE * SIDE).fill(0.5));
  return {
    task,
    library: 'LISA Studio',
    flops: 2 * REPEAT * SIDE ** 3,
    async run() {
      const start = performance.now();
      await executor.run([segment], extents);
      const last = new Float32Array(await executor.read({ buffer: y, offset: bytes - 16, bytes: 16 }, staging))[3];
      return { ms: performance.now() - start, value: last };
    },
    close: () => allocator.freeAll(),
  };
}

async function ourStep(gpu: Gpu, model: BenchModel, kernels: KernelChoice): Promise<Contestant & { readonly rig: Rig }> {
  const rig = await Rig.create(gpu, model, { method: 'full', batch: GPT_BATCH, kernels, settings: GPT_SETTINGS });
  return {
    rig,
    task: `training step of ${model.id} (${model.shape.layers} layers of ${model.shape.width}), ${rig.batch.rows} tokens`,
    library: 'LISA Studio',
    flops: rig.flops(),
    async run() {
      const start = performance.now();
      const { stats } = await rig.step();
      return { ms: performance.now() - start, value: stats.loss };
    },
    close: () => rig.close(),
  };
}

/** Weights, batch and settings for a step in another library. */
async function writeTask(model: BenchModel, rig: Rig, folder: string): Promise<void> {
  const { config, batch } = rig;
  const { shape } = model;
  const parts: Float32Array<ArrayBuffer>[] = [];
  const tensors: { layer: number | null; local: string; shape: readonly number[]; at: number; elements: number }[] = [];
  let at = 0;
  for await (const { row, start, data } of model.pieces()) {
    if (start === 0) tensors.push({ layer: row.layer, local: row.local, shape: row.shape, at, elements: elementsOf(row) });
    parts.push(data);
    at += data.length;
  }
  const rows = (values: Uint32Array): number[][] =>
    Array.from({ length: GPT_BATCH.batchSize }, (_, i) => [...values.subarray(i * GPT_BATCH.seqLen, (i + 1) * GPT_BATCH.seqLen)]);
  const task = {
    shape: { layers: shape.layers, vocab: shape.vocab, heads: shape.heads, headDim: shape.headDim, eps: shape.normEps },
    tensors,
    tokens: rows(batch.tokens),
    labels: rows(batch.labels),
    lr: config.lr,
    beta1: config.beta1,
    beta2: config.beta2,
    epsilon: config.eps,
  };
  await writeFile(join(folder, 'weights.bin'), Buffer.concat(parts.map((part) => Buffer.from(part.buffer))));
  await writeFile(join(folder, 'task.json'), JSON.stringify(task));
}

type Message = { readonly ready: true } | { readonly ms: number; readonly value: number } | { readonly error: string };

/** A process of another library, ready to run, or the reason why it is not ready. */
async function peer(library: string, task: string, module: string, settings: unknown, flops: number): Promise<Contestant | PeerRow> {
  const child = spawn(process.execPath, [join(FOLDER, 'peer.mjs'), module, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const next = messages(child);
  const first = await next();
  const name = { jax: 'jax-js', tfjs: 'TensorFlow.js' }[library] ?? library;
  if ('error' in first) return notRun(task, name, first.error);
  return {
    task,
    library: name,
    flops,
    async run() {
      child.stdin.write('\n');
      const message = await next();
      if ('ms' in message) return message;
      throw new AppError('INTERNAL', 'error' in message ? message.error : `${name} answered out of turn.`, '');
    },
    close: () => void child.kill(),
  };
}

/** The child's lines, one at a time; when it ends, an error. */
function messages(child: ChildProcess): () => Promise<Message> {
  const queue: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  let end: Message | null = null;
  const push = (message: Message): void => {
    const next = waiting.shift();
    if (next) next(message);
    else queue.push(message);
  };
  createInterface({ input: child.stdout! }).on('line', (line) => push(JSON.parse(line) as Message));
  child.stdin!.on('error', () => undefined); // it has ended; 'close' says so
  child.once('error', (error) => push((end = { error: error.message })));
  child.once('close', (code, signal) => push((end = { error: `its process ended (${signal ?? `status ${code}`})` })));
  return () => {
    const message = queue.shift() ?? end;
    return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
  };
}

/**
 * The libraries are not part of the app: they are installed the first time they are asked for. Resolves with what prevents it,
 * in one line; npm itself prints the details.
 */
export async function installPeers(folder = FOLDER): Promise<AppError | null> {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return null;
  process.stderr.write('Installing the other libraries in bench/peers (npm ci) …\n');
  const npm = process.env.npm_execpath;
  const [command, args] = npm && basename(npm).startsWith('npm-cli.') ? [process.execPath, [npm, 'ci']] : ['npm', ['ci']];
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(command, args, { cwd: folder, stdio: 'ignore', shell: command === 'npm' && process.platform === 'win32' });
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
  return code === 0
    ? null
    : new AppError('STORAGE', 'The libraries in bench/peers could not be installed.', 'Check the network, then run `npm ci` there.');
}

export function describePeers({ rows, rounds }: PeerReport): string {
  const tasks = [...new Set(rows.map((row) => row.task))];
  const lines = tasks.flatMap((task) => {
    const of = rows.filter((row) => row.task === task);
    const ran = of.filter((row) => row.error === undefined);
    return [
      `${task}, ${rounds} rounds in turns`,
      table(
        ['library', 'median ms', 'GFLOP/s', 'time / ours', 'computed'],
        ran.map((row) => [
          row.library,
          digits(row.medianMs),
          digits(row.gflops),
          `${row.againstOurs.toFixed(2)}×`,
          row.values
            .slice(0, 4)
            .map((value) => digits(value))
            .join(' '),
        ]),
      ),
      ...of.filter((row) => row.error !== undefined).map((row) => `${row.library} did not run here: ${row.error}`),
      '',
    ];
  });
  return lines.join('\n');
}
