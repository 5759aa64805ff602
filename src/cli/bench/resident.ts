// Checks that the memory that the ledger counts is the memory that a process really takes. On the software adapter
// buffers are ordinary memory, so the resident sets of processes that train with different methods must differ by what
// their ledgers say. Each measurement is a process of its own, started by the first.

import { spawn } from 'node:child_process';
import type { Method, RunConfig } from '../../config/run-config';
import { AppError } from '../../base/errors';
import { openGpu, type Gpu } from '../../gpu/device';
import { nodeGpu } from '../../gpu/node';
import { DEFAULT_KERNELS } from '../../plan/input';
import type { CategoryBytes } from '../../dispatch/memory';
import { benchModel, type BatchShape, type BenchModel } from './models';
import { mega, median, percent, table } from './print';
import { Rig } from './rig';

interface Variant {
  readonly name: string;
  readonly method: Method;
  readonly settings?: Partial<RunConfig>;
}

/** The first is what the others are compared with. */
const VARIANTS: readonly Variant[] = [
  { name: 'full', method: 'full' },
  { name: 'lisa', method: 'lisa' },
  { name: 'lora', method: 'lora' },
  { name: 'lisa, int8', method: 'lisa', settings: { weightStorage: 'int8' } },
  {
    name: 'lisa, levers',
    method: 'lisa',
    settings: { weightStorage: 'int8', recompute: 'layer', optimizerState: 'int8', gradClipMode: 'block' },
  },
];
const STEPS = 2;

/** Buffers are sized for the case's batch and zeroed whole at their first use, so a step of few tokens touches all. */
const LIVE: BatchShape = { batchSize: 2, seqLen: 8 };

/**
 * Dawn puts several buffers below 4 MiB into one allocation, each rounded up to a power of two. Small models really take that
 * memory, and how much depends on the driver; this benchmark proves that no buffer is missing from the ledger.
 */
const OWN_ALLOCATIONS = 'enable-dawn-features=disable_resource_suballocation';

/** The model and batch of every proof: most memory is in activations, in a Llama's state, or in a GPT-2's state. */
export const RESIDENT_CASES: readonly { readonly model: string; readonly batch: BatchShape }[] = [
  { model: 'wordsmith-2m', batch: { batchSize: 96, seqLen: 256 } },
  { model: 'mid-llama', batch: { batchSize: 2, seqLen: 64 } },
  { model: 'mid-gpt2', batch: { batchSize: 2, seqLen: 64 } },
];

export interface ResidentTask extends Variant {
  readonly model: string;
  readonly batch: BatchShape;
  readonly gamma: number;
}

/** What a child prints. Bytes. */
export interface ResidentReading {
  readonly ledger: number;
  readonly byClass: CategoryBytes;
  /** Growth of the resident set from before the buffers to after the steps. */
  readonly grown: number;
  readonly heap: number;
}

interface ResidentVariant extends ResidentReading {
  readonly name: string;
}

export interface ResidentProof {
  readonly model: string;
  readonly tokens: number;
  readonly variants: readonly ResidentVariant[];
  /** full − other, by the ledgers and by the resident sets. */
  readonly differences: readonly {
    readonly name: string;
    readonly ledger: number;
    readonly resident: number;
    readonly deviation: number;
  }[];
}

/** Throws CONFIG_INVALID if buffers are not ordinary memory of the process. */
export function requireSoftware({ description }: Gpu): void {
  if (description.software) return;
  throw new AppError(
    'CONFIG_INVALID',
    `--resident: ${description.description} keeps buffers in memory of its own.`,
    'Choose a software adapter, for example by VK_ICD_FILENAMES.',
  );
}

/** Runs the measurements one after another. `repetitions` processes per variant; the median counts. */
export async function proveResident(cases: typeof RESIDENT_CASES, gamma: number, repetitions: number): Promise<ResidentProof[]> {
  const proofs: ResidentProof[] = [];
  for (const { model, batch } of cases) {
    const readings = VARIANTS.map((variant) => ({ variant, of: [] as ResidentReading[] }));
    for (let i = 0; i < repetitions; i++) {
      for (const { variant, of } of readings) of.push(await measureInChild({ ...variant, model, batch, gamma }));
    }
    const variants = readings.map(({ variant: { name }, of }): ResidentVariant => {
      return { ...of[0], name, grown: median(of.map((reading) => reading.grown)), heap: median(of.map((reading) => reading.heap)) };
    });
    const [full, ...others] = variants;
    proofs.push({
      model,
      tokens: batch.batchSize * batch.seqLen,
      variants,
      differences: others.map(({ name, ledger, grown }) => {
        const [wanted, got] = [full.ledger - ledger, full.grown - grown];
        return { name, ledger: wanted, resident: got, deviation: got / wanted - 1 };
      }),
    });
  }
  return proofs;
}

function measureInChild(task: ResidentTask): Promise<ResidentReading> {
  return new Promise((resolve, reject) => {
    // Freed memory goes back to the system at once, so that memory from the warm-up is not reused unnoticed.
    const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' };
    const child = spawn(process.execPath, ['--expose-gc', process.argv[1], '--resident-child', JSON.stringify(task)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(out) as ResidentReading);
      else
        reject(
          new AppError(
            'INTERNAL',
            `The process that measures ${task.name} on ${task.model} ended with status ${code}.`,
            'See its output above.',
          ),
        );
    });
  });
}

/** In the child: warms up, then measures one variant. */
export async function measureResident(task: ResidentTask): Promise<ResidentReading> {
  const gpu = await openGpu(await nodeGpu([OWN_ALLOCATIONS]));
  const model = await benchModel(task.model);
  // Warms up pipelines, heap and driver: a small model of the same kernels, with every variant in every process. Its
  // weights stay zero.
  const small: BenchModel = { ...model, shape: { ...model.shape, layers: 2, vocab: 512 }, pieces: () => [] };
  for (const { method, settings } of VARIANTS) await run(gpu, small, { ...task, method, settings, gamma: 1, batch: LIVE });
  await settle(gpu);
  const before = process.memoryUsage();
  const rig = await run(gpu, model, task, true);
  await settle(gpu);
  const after = process.memoryUsage();
  const { live, liveTotal } = rig!.engine.allocator.reading();
  return {
    ledger: liveTotal,
    byClass: live,
    grown: after.rss - before.rss,
    heap: after.heapTotal + after.external - before.heapTotal - before.external,
  };
}

/** Trains some steps and fills the K/V cache, so that every buffer has been touched. */
async function run(gpu: Gpu, model: BenchModel, task: ResidentTask, keep = false): Promise<Rig | null> {
  const rig = await Rig.create(gpu, model, { ...task, live: LIVE, kernels: DEFAULT_KERNELS });
  for (let i = 0; i < STEPS; i++) await rig.step();
  await rig.engine.logits([...rig.batch.tokens.slice(0, 4)], 0);
  if (keep) return rig;
  rig.close();
  await rig.engine.executor.idle();
  return null;
}

/** Frees garbage: JavaScript objects first, then what the driver frees once it is told that work is done. */
async function settle(gpu: Gpu): Promise<void> {
  for (let i = 0; i < 6; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 30));
    // Memory of destroyed buffers is freed once work that was submitted later is done.
    gpu.device.queue.submit([gpu.device.createCommandEncoder().finish()]);
    await gpu.device.queue.onSubmittedWorkDone();
  }
}

export function describeResident(proof: ResidentProof): string {
  return [
    `${proof.model}, ${proof.tokens} tokens a step: resident memory of one process per variant`,
    table(
      ['variant', 'ledger', 'resident growth', 'growth / ledger', 'of it JS heap'],
      proof.variants.map((m) => [m.name, mega(m.ledger), mega(m.grown), percent(m.grown / m.ledger), mega(m.heap)]),
    ),
    ...proof.differences.map(
      (d) =>
        `full − ${d.name}: ${mega(d.ledger)} by the ledgers, ${mega(d.resident)} resident: ${d.deviation >= 0 ? '+' : ''}${percent(d.deviation)} (within 10 %: ${Math.abs(d.deviation) <= 0.1 ? 'yes' : 'NO'})`,
    ),
    '',
  ].join('\n');
}
