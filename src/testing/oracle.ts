// Loads a PyTorch fixture into the engine: its weights, its batches and its runs. For tests in Node.

import { DEFAULTS, type RunConfig } from '../config/run-config';
import { buildMicroBatch, type MicroBatch } from '../data/batch/batch';
import type { Sample } from '../data/read/types';
import type { Gpu } from '../gpu/device';
import { nodeLab } from './node-lab';
import { parseModelConfig } from '../model/config';
import type { ModelShape } from '../model/types';
import { planInput, type PlanOptions } from '../plan/input';
import { Engine } from '../engine/engine';
import type { StepState } from '../train/step';
import { stepsOf } from './steps';
import type { Fixture, FixtureBatch, FixtureRun, FixtureTensors } from './fixtures';

const fixtureShape = (fixture: Fixture): ModelShape => parseModelConfig(fixture.config, 'config.json');

export function fixtureMicroBatch(batch: FixtureBatch): MicroBatch {
  const samples = batch.map(({ ids, target }): Sample => ({ ids: Uint32Array.from(ids), target: Uint8Array.from(target) }));
  return buildMicroBatch(samples.map((sample) => [sample]));
}

/** Settings of a fixture's run in the terms of RunConfig. */
export function fixtureConfig(run: Pick<FixtureRun, 'method' | 'steps' | 'optimizer' | 'lisa' | 'lora'>): RunConfig {
  const { optimizer, lisa, lora } = run;
  return {
    ...DEFAULTS,
    method: run.method,
    steps: run.steps,
    seqLen: 37,
    batchSize: 3,
    ...optimizer,
    ...(lisa && { stepsPerPeriod: lisa.period, lisaLayers: Math.max(...lisa.draws.map((d) => d.length)), alwaysOn: lisa.train }),
    ...(lora && { loraRank: lora.rank, loraAlpha: lora.alpha }),
  };
}

export async function fixtureEngine(
  fixture: Fixture,
  config: RunConfig,
  { gpu, ...options }: PlanOptions & { readonly gpu?: Gpu } = {},
): Promise<Engine> {
  const engine = await Engine.create(gpu ?? (await nodeLab()).gpu, planInput(fixtureShape(fixture), config, options), { validate: true });
  for (const { rows } of engine.plan.buffers.blocks.values()) {
    for (const row of rows) await engine.writeTensor(row, fixture.weights.get(row.name)!.values);
  }
  if (config.method === 'lora') {
    engine.plan.buffers.adapters.forEach(({ rows }, layer) => {
      for (const row of rows) engine.writeAdapter(layer, row.local, adapterValues(fixture.adapters, layer, row.local, fixture));
    });
  }
  return engine;
}

export const adapterName = (fixture: Fixture, layer: number, local: string): string =>
  `${fixtureShape(fixture).style === 'gpt2' ? 'transformer.h' : 'model.layers'}.${layer}.${local}.weight`;

export function adapterValues(tensors: FixtureTensors, layer: number, local: string, fixture: Fixture): Float32Array<ArrayBuffer> {
  const name = adapterName(fixture, layer, local);
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`No ${name} in ${[...tensors.keys()].slice(0, 4).join(', ')} …`);
  return tensor.values;
}

export interface OracleRun {
  readonly losses: number[];
  readonly gradNorms: number[];
  readonly engine: Engine;
  readonly state: StepState;
}

/** Runs a fixture's run to its end. The caller closes the engine. */
export async function runFixture(fixture: Fixture, run: FixtureRun): Promise<OracleRun> {
  const config = fixtureConfig(run);
  const engine = await fixtureEngine(fixture, config, { draws: run.lisa?.draws });
  const steps = stepsOf(engine, config, (period) => run.lisa!.draws[period]);
  const losses: number[] = [];
  const gradNorms: number[] = [];
  for (const indices of run.microBatches) {
    const microBatches = indices.map((index) => fixtureMicroBatch(fixture.batches[index]));
    const targets = microBatches.reduce((sum, b) => sum + b.targets, 0);
    const stats = await steps.take({ microBatches, targets, tokens: 0 });
    losses.push(stats.loss);
    gradNorms.push(stats.gradNorm);
  }
  return { losses, gradNorms, engine, state: steps.state };
}
