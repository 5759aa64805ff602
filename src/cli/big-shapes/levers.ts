// Every lever that saves memory at once, on the shape of a public model with random weights: what the ledger counts is what the plan and the
// forecast say, before, between and after switches, and layers that never trained keep every bit.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf, type RunConfig } from '../../config/run-config';
import type { StepData } from '../../data/batch/loader';
import { bytesByCategory, sumBytes, MEMORY_CATEGORIES } from '../../dispatch/memory';
import { Engine } from '../../engine/engine';
import { truthOf } from '../../engine/truth';
import type { Gpu } from '../../gpu/device';
import { nodeScratch } from '../../io/node/scratch';
import { LayerController } from '../../lisa/controller';
import { turnsOf } from '../../lisa/schedule';
import type { ModelShape } from '../../model/types';
import { forecast } from '../../plan/forecast';
import { planInput, scheduleConfig, type KernelChoice } from '../../plan/input';
import { takeStep, type StepState } from '../../train/step';
import { randomStream } from '../../base/random';
import { bigBatch, bigPieces, bigTensor } from './weights';

const LEVERS = {
  weightStorage: 'int8',
  recompute: 'layer',
  optimizerState: 'int8',
  gradClipMode: 'block',
  lisaEmbedding: 'rows',
  lisaHead: 'rows',
} as const satisfies Partial<RunConfig>;

export interface LeverCase {
  readonly seqLen: number;
  readonly steps: number;
  readonly stepsPerPeriod: number;
  /** Tokens of the vocabulary that the data is said to have. */
  readonly rows: number;
  readonly changes?: Partial<RunConfig>;
}

interface LeverRun {
  readonly losses: readonly number[];
  /** CPU seconds of each step over all cores, without what the switch before it takes. */
  readonly cpuSeconds: readonly number[];
  readonly switches: number;
  readonly plan: number;
  /** The most bytes that the ledger counted. */
  readonly ledger: number;
  /** How much the process has grown from the end of the first tenth of the steps to the end, in bytes of its resident set. */
  readonly grown: number;
  readonly trained: readonly number[];
  readonly faults: readonly string[];
}

/** Batches of random tokens out of the `rows` that the data has; each token of a batch counts toward the loss. */
function batches(shape: ModelShape, { seqLen, rows }: LeverCase): { readonly tokens: Uint32Array<ArrayBuffer>; next(): StepData } {
  const draw = randomStream(1, 'levers');
  // Every so many-th token, so that they lie all over the vocabulary.
  const tokens = Uint32Array.from({ length: rows }, (_, i) => Math.floor((i * shape.vocab) / rows));
  return {
    tokens,
    next() {
      const batch = bigBatch(Array.from({ length: seqLen + 1 }, () => tokens[draw.nextBelow(rows)]));
      return { microBatches: [batch], targets: batch.targets, tokens: batch.rows };
    },
  };
}

export async function runLevers(gpu: Gpu, shape: ModelShape, of: LeverCase, kernels: KernelChoice): Promise<LeverRun> {
  const { seqLen, steps, stepsPerPeriod, rows, changes } = of;
  const config: RunConfig = {
    ...configOf({}),
    method: 'lisa',
    ...LEVERS,
    batchSize: 1,
    gradAccum: 1,
    lisaLayers: 2,
    seqLen,
    steps,
    stepsPerPeriod,
    lr: 1e-4,
    warmup: 0,
    ...changes,
  };
  const data = batches(shape, of);
  const folder = await mkdtemp(join(tmpdir(), 'lisa-levers-'));
  const read = (...part: Parameters<typeof bigTensor> extends [unknown, ...infer R] ? R : never) =>
    Promise.resolve(bigTensor(shape, ...part));
  const input = planInput(shape, config, { kernels, dataTokens: rows });
  const engine = await Engine.create(gpu, input, { tokens: data.tokens, truth: truthOf(read, nodeScratch(folder)) });
  try {
    for (const { row, start, data: values } of bigPieces(shape)) await engine.writeTensor(row, values, start);
    await engine.executor.idle();
    const codes = async (layer: number): Promise<string> => {
      const hash = createHash('sha256');
      for (const { view } of engine.plan.buffers.blocks.get(`layer.${layer}`)!.weights.shards)
        hash.update(await engine.readWhole(view.buffer));
      return hash.digest('hex');
    };
    const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
    const before: string[] = [];
    for (const layer of layers) before.push(await codes(layer));
    const state: StepState = {
      config,
      engine,
      loader: { nextStep: () => data.next() },
      turns: turnsOf(config, scheduleConfig(shape, config)),
      controller: new LayerController(engine.plan.buffers.slots.length, false, input.sampled),
      parked: new Map(),
      completed: 0,
    };
    const planned = bytesByCategory(engine.plan.allBuffers);
    const told = forecast(shape, config, 'f32', rows).bytes;
    const faults = new Set<string>();
    const [losses, cpuSeconds]: [number[], number[]] = [[], []];
    const trained = new Set<number>();
    let early = 0;
    for (let step = 1; step <= steps; step++) {
      const cpu = process.cpuUsage();
      const { stats } = await takeStep(state);
      const { loss, bad } = await stats;
      await engine.executor.idle();
      const { user, system } = process.cpuUsage(cpu);
      cpuSeconds.push((user + system) / 1e6);
      losses.push(loss);
      if (step <= Math.max(1, steps / 10)) early = process.memoryUsage.rss();
      if (bad) faults.add(`step ${step} has a loss or gradient that is not finite`);
      for (const layer of state.controller.layers()) trained.add(layer);
      const { live } = engine.allocator.reading();
      for (const name of MEMORY_CATEGORIES)
        if (live[name] !== planned[name] || told[name] !== planned[name])
          faults.add(`${name}: ledger ${live[name]}, plan ${planned[name]}, forecast ${told[name]}`);
    }
    const grown = process.memoryUsage.rss() - early;
    for (const layer of layers)
      if (!trained.has(layer) && (await codes(layer)) !== before[layer]) faults.add(`layer ${layer} never trained, but has changed`);
    const inTraining = new Set(state.controller.layers());
    for (const layer of trained)
      if (engine.truth && !inTraining.has(layer) && !engine.truth.has(layer))
        faults.add(`the full precision of layer ${layer} was not kept`);
    return {
      losses,
      cpuSeconds,
      switches: Math.ceil(steps / stepsPerPeriod) - 1,
      plan: sumBytes(planned),
      ledger: engine.allocator.reading().peakTotal,
      grown,
      trained: [...trained].sort((a, b) => a - b),
      faults: [...faults],
    };
  } finally {
    engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}
