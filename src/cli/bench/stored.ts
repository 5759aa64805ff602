// Weights as f32 against weights in the 16 bits of their checkpoint, method by method: bytes by the ledger, which must
// equal the forecast, and the time of a step. Weights that do not train take half; weights that train need an f32
// master beside them.

import { DEFAULTS, type Method, type RunConfig } from '../../config/run-config';
import { AppError } from '../../base/errors';
import type { Gpu } from '../../gpu/device';
import { forecast } from '../../plan/forecast';
import type { KernelChoice } from '../../plan/input';
import { withTotal, type MemoryTotals, MEMORY_CATEGORIES } from '../../dispatch/memory';
import type { BatchShape, BenchModel } from './models';
import { digits, median, mega, table } from './print';
import { Rig, type StepTime } from './rig';

type Weights = Extract<RunConfig['weightStorage'], 'f32' | 'stored'>;

const CASES: readonly { readonly name: string; readonly method: Method; readonly train?: RunConfig['alwaysOn'] }[] = [
  { name: 'full', method: 'full' },
  { name: 'LISA', method: 'lisa' },
  { name: 'LISA, embedding and head off', method: 'lisa', train: { embedding: false, head: false, norm: true } },
  { name: 'LoRA', method: 'lora' },
];

interface StoredCase {
  readonly name: string;
  /** Ledger, equal to the forecast in every category. */
  readonly bytes: Readonly<Record<Weights, MemoryTotals>>;
  readonly times: Readonly<Record<Weights, readonly StepTime[]>>;
  /** Median over the repetitions of the time with weights as stored / the time as f32 beside it. */
  readonly timeRatio: number;
  /** The same of the time on the CPU, where the adapter is software. */
  readonly cpuRatio: number | null;
}

export interface StoredReport {
  readonly model: string;
  readonly layers: number;
  readonly tokens: number;
  readonly gamma: number;
  readonly repetitions: number;
  readonly cases: readonly StoredCase[];
}

export interface StoredOptions {
  readonly batch: BatchShape;
  readonly kernels: KernelChoice;
  readonly gamma: number;
  readonly repetitions: number;
}

/** Two rigs are in memory at a time. Throws INTERNAL if a ledger differs from the forecast. */
export async function compareStored(gpu: Gpu, model: BenchModel, options: StoredOptions): Promise<StoredReport> {
  const cases: StoredCase[] = [];
  for (const one of CASES) cases.push(await measure(gpu, model, options, one));
  const { batch, gamma, repetitions } = options;
  return { model: model.id, layers: model.shape.layers, tokens: batch.batchSize * batch.seqLen, gamma, repetitions, cases };
}

async function measure(
  gpu: Gpu,
  model: BenchModel,
  { repetitions, ...options }: StoredOptions,
  { name, method, train = DEFAULTS.alwaysOn }: (typeof CASES)[number],
): Promise<StoredCase> {
  const rigs: Rig[] = [];
  try {
    const open = async (weights: Weights): Promise<Rig> => {
      const rig = await Rig.create(gpu, model, { ...options, method, train, settings: { weightStorage: weights } });
      rigs.push(rig);
      return rig;
    };
    const [wide, packed] = [await open('f32'), await open('stored')];
    const times = { f32: [] as StepTime[], stored: [] as StepTime[] };
    for (const rig of rigs) await rig.step(); // compiles
    for (let i = 0; i < repetitions; i++) {
      // The order alternates, so that a trend in the machine's speed favours neither.
      const order: Weights[] = i % 2 === 0 ? ['f32', 'stored'] : ['stored', 'f32'];
      for (const weights of order) times[weights].push(await (weights === 'f32' ? wide : packed).step());
    }
    const ratio = (of: (time: StepTime) => number): number => median(times.stored.map((time, i) => of(time) / of(times.f32[i])));
    return {
      name,
      bytes: { f32: ledgerOf(model, name, wide), stored: ledgerOf(model, name, packed) },
      times,
      timeRatio: ratio(({ ms }) => ms),
      cpuRatio: gpu.description.software ? ratio(({ cpuMs }) => cpuMs) : null,
    };
  } finally {
    rigs.forEach((rig) => rig.close());
    await rigs[0]?.engine.executor.idle();
  }
}

/** Bytes by category as the allocator counts them. */
function ledgerOf(model: BenchModel, name: string, { engine, config }: Rig): MemoryTotals {
  const { live } = engine.allocator.reading();
  const wanted = forecast(model.shape, config, model.types).bytes;
  if (MEMORY_CATEGORIES.some((of) => live[of] !== wanted[of]))
    throw new AppError('INTERNAL', `${model.id}, ${name}: ledger ${JSON.stringify(live)}, forecast ${JSON.stringify(wanted)}.`, '');
  return withTotal(live);
}

export function describeStored(report: StoredReport): string {
  const cpu = report.cases.some(({ cpuRatio }) => cpuRatio !== null);
  const rows = report.cases.map(({ name, bytes: { f32, stored }, times, timeRatio, cpuRatio }) => [
    name,
    mega(f32.weights + f32.masters),
    `${mega(stored.weights)} + ${mega(stored.masters)}`,
    mega(f32.total),
    mega(stored.total),
    (stored.total / f32.total).toFixed(3),
    digits(median(times.f32.map(({ ms }) => ms))),
    timeRatio.toFixed(3),
    ...(cpuRatio === null ? [] : [cpuRatio.toFixed(3)]),
  ]);
  return [
    `${report.model}, ${report.layers} layers, γ = ${report.gamma}: weights as f32 and in the 16 bits of the checkpoint, ${report.tokens} tokens a step, ${report.repetitions} repetitions in turns; every ledger is its forecast to the byte`,
    table(
      [
        'method',
        'weights, f32',
        'stored + masters',
        'all memory, f32',
        'stored',
        'stored / f32',
        'ms a step, f32',
        'time ratio',
        ...(cpu ? ['CPU time ratio'] : []),
      ],
      rows,
    ),
    '',
  ].join('\n');
}
