// LISA against full training on one device with one batch, all layers: is a step as much faster as its plan has
// fewer FLOPs, are the gradients' products as fast as the forward's, and what does a switch of layers cost?

import { microSegments } from '../../plan/step-plan';
import type { Gpu } from '../../gpu/device';
import { Profiler, type DispatchTime } from '../../gpu/profiler';
import { LayerController } from '../../lisa/controller';
import type { KernelChoice } from '../../plan/input';
import { switchLayers } from '../../train/switch-layers';
import type { Dispatch, Segment } from '../../dispatch/types';
import type { BatchShape, BenchModel } from './models';
import { digits, median, percent, table } from './print';
import { purposeOf, shapeOf } from './profile';
import { Rig, type StepTime } from './rig';

interface StepRatio {
  readonly name: string;
  readonly layers: readonly number[];
  readonly times: readonly StepTime[];
  readonly medianMs: number;
  readonly flops: number;
  /** FLOPs of this step / FLOPs of a full step. */
  readonly flopRatio: number;
  /** Median over the repetitions of this step's time / the time of the full steps around it. */
  readonly timeRatio: number;
  /** The same of the time on the CPU, where the adapter is software. */
  readonly cpuRatio: number | null;
}

/** GFLOP/s of the products of one linear op. */
interface LinearRate {
  readonly op: string;
  readonly shape: string;
  readonly forward: number;
  readonly dX: number;
  readonly dW: number;
}

interface SwitchCost {
  readonly medianMs: number;
  readonly maxMs: number;
  readonly switches: number;
  /** Median of a LISA step of the comparison. */
  readonly stepMs: number;
}

export interface Comparison {
  readonly model: string;
  readonly tokens: number;
  readonly repetitions: number;
  readonly full: { readonly times: readonly StepTime[]; readonly medianMs: number; readonly flops: number };
  readonly ratios: readonly StepRatio[];
  readonly linear: readonly LinearRate[];
  /** FLOPs of all products / time of all of them, relative to the forward's. */
  readonly share: { readonly dX: number; readonly dW: number };
  readonly switching: SwitchCost;
}

export interface CompareOptions {
  readonly batch: BatchShape;
  readonly kernels: KernelChoice;
  readonly gamma: number;
  readonly repetitions: number;
}

const ALWAYS_ON_OFF = { embedding: false, head: false, norm: true };

export async function compare(gpu: Gpu, model: BenchModel, options: CompareOptions): Promise<Comparison> {
  const rigs: Rig[] = [];
  const rig = async (more: Partial<Parameters<typeof Rig.create>[2]>): Promise<Rig> => {
    const made = await Rig.create(gpu, model, { method: 'lisa', ...options, ...more });
    rigs.push(made);
    return made;
  };
  try {
    const full = await rig({ method: 'full' });
    const lisa = await rig({});
    const drawnOnly = await rig({ train: ALWAYS_ON_OFF });
    const { layers } = model.shape;
    const top = Array.from({ length: options.gamma }, (_, i) => layers - options.gamma + i);
    const topOff = await rig({ train: ALWAYS_ON_OFF, draw: top });
    const { fullTimes, others } = await interleave(full, [lisa, drawnOnly, topOff], options.repetitions);
    const relative = (times: readonly StepTime[], of: (time: StepTime) => number): number =>
      median(times.map((time, i) => (2 * of(time)) / (of(fullTimes[i]) + of(fullTimes[i + 1]))));
    const ratio = (name: string, of: Rig, times: readonly StepTime[]): StepRatio => ({
      name,
      layers: of.layers,
      times,
      medianMs: median(times.map(({ ms }) => ms)),
      flops: of.flops(),
      flopRatio: of.flops() / full.flops(),
      timeRatio: relative(times, ({ ms }) => ms),
      cpuRatio: gpu.description.software ? relative(times, ({ cpuMs }) => cpuMs) : null,
    });
    const lisaRatio = ratio('LISA', lisa, others[0]);
    const linear = await linearRates(full, options.repetitions);
    return {
      model: model.id,
      tokens: full.batch.rows,
      repetitions: options.repetitions,
      full: { times: fullTimes, medianMs: median(fullTimes.map(({ ms }) => ms)), flops: full.flops() },
      ratios: [
        lisaRatio,
        ratio('LISA, embedding and head off', drawnOnly, others[1]),
        ratio('the same, top layers only', topOff, others[2]),
      ],
      linear: linear.rates,
      share: linear.share,
      switching: await switchCost(lisa, Math.max(10, options.repetitions), lisaRatio.medianMs),
    };
  } finally {
    rigs.forEach((each) => each.close());
  }
}

/** full, a, full, b, … : every other step stands between two full ones, so that a busy machine slows both alike. */
async function interleave(full: Rig, rigs: readonly Rig[], repetitions: number): Promise<{ fullTimes: StepTime[]; others: StepTime[][] }> {
  for (const each of [full, ...rigs]) await each.step(); // compiles
  const fullTimes = [await full.step()];
  const others: StepTime[][] = rigs.map(() => []);
  for (let i = 0; i < repetitions; i++) {
    // The order alternates, so that a trend in the machine's speed favours neither.
    const order = rigs.map((_, at) => at);
    if (i % 2 === 1) order.reverse();
    for (const at of order) others[at].push(await rigs[at].step());
    fullTimes.push(await full.step());
  }
  return { fullTimes, others };
}

const PRODUCTS = ['fwd', 'dX', 'dW'] as const;
type Product = (typeof PRODUCTS)[number];

/** The linear op that a dispatch belongs to, and which of its products it is; null for anything else. */
function productOf(dispatch: Dispatch): { readonly op: string; readonly product: Product } | null {
  if (!dispatch.kernel.name.startsWith('matmul')) return null;
  const purpose = purposeOf(dispatch);
  if (purpose === 'head/logits') return { op: 'head', product: 'fwd' };
  const found = /^(?:(head)\/|(\w+) )(fwd|dX|dW)$/.exec(purpose);
  return found && { op: found[1] ?? found[2], product: found[3] as Product };
}

/** Forward, dX and dW of every linear op in turn, several times over: the three stand next to each other in time. */
async function linearRates(rig: Rig, repetitions: number): Promise<{ rates: LinearRate[]; share: Comparison['share'] }> {
  const { extents } = rig.batch;
  const ops = new Map<string, Map<Product, Dispatch[]>>();
  for (const dispatch of rig.segments().flatMap((segment) => segment.dispatches)) {
    const found = productOf(dispatch);
    if (!found) continue;
    const of = ops.get(found.op) ?? new Map<Product, Dispatch[]>();
    of.set(found.product, [...(of.get(found.product) ?? []), dispatch]);
    ops.set(found.op, of);
  }
  const order: { op: string; product: Product }[] = [];
  const dispatches: Dispatch[] = [];
  for (const [op, products] of ops) {
    const count = Math.max(...[...products.values()].map((list) => list.length));
    for (let i = 0; i < count; i++) {
      for (const product of PRODUCTS) {
        const dispatch = products.get(product)?.[i];
        if (!dispatch) continue;
        order.push({ op, product });
        dispatches.push(dispatch);
      }
    }
  }
  const segment: Segment = { name: 'linear ops', dispatches };
  const profiler = await Profiler.create(rig.engine.executor);
  const runs: DispatchTime[][] = [];
  for (let i = 0; i <= repetitions; i++) runs.push(await profiler.run([segment], extents));
  profiler.close();
  runs.shift(); // compiles
  const total = (op: string | null, product: Product, run: (typeof runs)[number]): { flops: number; ms: number } =>
    run.reduce(
      (sum, time, at) =>
        (op === null || order[at].op === op) && order[at].product === product
          ? { flops: sum.flops + time.flops, ms: sum.ms + time.ms }
          : sum,
      { flops: 0, ms: 0 },
    );
  const rate = (op: string | null, product: Product, run: (typeof runs)[number]): number => {
    const { flops, ms } = total(op, product, run);
    return flops / ms / 1e6;
  };
  const overRuns = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of));
  const rates = [...ops].map(([op, products]): LinearRate => ({
    op,
    shape: shapeOf(products.get('fwd')![0], extents),
    forward: overRuns((run) => rate(op, 'fwd', run)),
    dX: overRuns((run) => rate(op, 'dX', run)),
    dW: overRuns((run) => rate(op, 'dW', run)),
  }));
  const share = (product: Product): number => overRuns((run) => rate(null, product, run) / rate(null, 'fwd', run));
  return { rates, share: { dX: share('dX'), dW: share('dW') } };
}

/** Clearing the slots of the layers that join, and making and compiling the plan of the new draw. */
async function switchCost(rig: Rig, switches: number, stepMs: number): Promise<SwitchCost> {
  const { engine, state, batch } = rig;
  const controller = new LayerController(engine.plan.buffers.slots.length, false);
  const times: number[] = [];
  for (let period = 0; period <= switches; period++) {
    const start = performance.now();
    await switchLayers({ ...state, controller, parked: new Map() }, state.turns.layersOf(period));
    const plan = engine.plan.step(controller.assignment());
    await Promise.all(
      [...microSegments(plan, batch.extents), ...plan.norm, ...plan.update].map((segment) => engine.executor.compile(segment)),
    );
    await engine.executor.idle();
    // The first one starts from empty slots.
    if (period > 0) times.push(performance.now() - start);
  }
  return { medianMs: median(times), maxMs: Math.max(...times), switches, stepMs };
}

export function describeComparison(c: Comparison): string {
  const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(3)}`;
  const cpu = c.ratios.some((r) => r.cpuRatio !== null);
  const steps = [
    ['full', 'all', digits(c.full.medianMs), digits(c.full.flops / 1e9), '1.000', '1.000', '', ...(cpu ? ['1.000', ''] : []), ''],
    ...c.ratios.map((r) => {
      // On a shared machine, wall-clock time also includes the work of others.
      const judged = r.cpuRatio ?? r.timeRatio;
      const cpuCells = r.cpuRatio === null ? [] : [r.cpuRatio.toFixed(3), signed(r.cpuRatio - r.flopRatio)];
      const [time, flop] = [r.timeRatio, r.flopRatio];
      return [
        r.name,
        r.layers.join(' '),
        digits(r.medianMs),
        digits(r.flops / 1e9),
        flop.toFixed(3),
        time.toFixed(3),
        signed(time - flop),
        ...cpuCells,
        judged - flop <= 0.05 ? 'yes' : 'NO',
      ];
    }),
  ];
  const linear = c.linear.map((l) => [
    l.op,
    l.shape,
    digits(l.forward),
    digits(l.dX),
    digits(l.dW),
    percent(l.dX / l.forward),
    percent(l.dW / l.forward),
  ]);
  const ok = (share: number): string => (share >= 0.8 ? 'yes' : 'NO');
  return [
    `${c.model}: LISA against full training, the same batch of ${c.tokens} tokens, ${c.repetitions} repetitions in turns`,
    table(
      [
        'step',
        'layers',
        'median ms',
        'GFLOP',
        'FLOP ratio',
        'time ratio',
        'excess',
        ...(cpu ? ['CPU time ratio', 'excess'] : []),
        '≤ 0.05',
      ],
      steps,
    ),
    '',
    'Products of the linear ops, GFLOP/s',
    table(['op', 'forward rows×columns×terms', 'forward', 'dX', 'dW', 'dX / forward', 'dW / forward'], linear),
    `all of them: dX at ${percent(c.share.dX)} of the forward's rate (≥ 80 %: ${ok(c.share.dX)}), dW at ${percent(c.share.dW)} (≥ 80 %: ${ok(c.share.dW)})`,
    '',
    `A switch of layers takes ${digits(c.switching.medianMs)} ms (median of ${c.switching.switches}, at most ${digits(c.switching.maxMs)}): ${percent(c.switching.medianMs / c.switching.stepMs)} of a LISA step of ${digits(c.switching.stepMs)} ms.`,
    '',
  ].join('\n');
}
