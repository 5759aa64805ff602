// Three optimizer steps of a small model, over a switch of layers in each: whether a device trains as it should, and in how much memory.

import { DEFAULTS, type RunConfig } from '../config/run-config';
import { buildMicroBatch } from '../data/batch/batch';
import type { StepData } from '../data/batch/loader';
import { randomStream } from '../base/random';
import { withTotal } from '../dispatch/memory';
import { Engine } from '../engine/engine';
import type { Gpu } from '../gpu/device';
import { LayerController } from '../lisa/controller';
import { turnsOf } from '../lisa/schedule';
import { parseModelConfig } from '../model/config';
import { parameterTable } from '../model/parameters';
import { elementsOf, type ModelShape } from '../model/types';
import { planInput, scheduleConfig, type KernelChoice } from '../plan/input';
import { takeStep, type StepState } from './step';

/** Head dim 8 and widths in whole quads, as in the tests' models, so that no kernel is compiled for this alone. */
const SHAPE: ModelShape = parseModelConfig(
  {
    model_type: 'llama',
    vocab_size: 61,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 4,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 40,
    tie_word_embeddings: true,
  },
  'check',
);

const CONFIG: RunConfig = {
  ...DEFAULTS,
  method: 'lisa',
  steps: 3,
  seqLen: 20,
  batchSize: 2,
  lisaLayers: 1,
  stepsPerPeriod: 1,
  lr: 0.01,
  lrSchedule: 'constant',
  warmup: 0,
};

/** Losses of the three steps by the kernels that the tests hold to float64, on a software adapter. */
const CHECK_LOSSES: readonly number[] = [4.4514465, 4.0583839, 3.7216475];
/** Kernels of other families add in another order, and AdamW's first steps divide by small numbers. */
export const CHECK_STEP_BOUND = 5e-5;

export interface CheckStep {
  readonly losses: readonly number[];
  /** Largest relative difference from CHECK_LOSSES; null if a loss is not finite. */
  readonly error: number | null;
  /** Of the last step. */
  readonly ms: number;
  /** Bytes that the plan says, and that were allocated. */
  readonly planned: number;
  readonly allocated: number;
}

/** The same in every step, so that the loss has to fall. */
function data(): StepData {
  const random = randomStream(5, 'check step');
  const samples = [20, 13].map((length) => ({
    ids: Uint32Array.from({ length: length + 1 }, () => random.nextBelow(SHAPE.vocab)),
    target: Uint8Array.from({ length: length + 1 }, (_, at) => (at > 0 ? 1 : 0)),
  }));
  const batch = buildMicroBatch(samples.map((sample) => [sample]));
  return { microBatches: [batch], targets: batch.targets, tokens: batch.rows };
}

export async function checkStep(gpu: Gpu, kernels: KernelChoice): Promise<CheckStep> {
  const engine = await Engine.create(gpu, planInput(SHAPE, CONFIG, { kernels }));
  try {
    for (const row of parameterTable(SHAPE)) {
      const random = randomStream(5, 'check weights', row.name);
      const [centre, spread] = row.role === 'norm' ? [1, 0.1] : [0, 0.45];
      await engine.writeTensor(
        row,
        Float32Array.from({ length: elementsOf(row) }, () => centre + spread * (2 * random.nextFloat() - 1)),
      );
    }
    const state: StepState = {
      config: CONFIG,
      engine,
      loader: { nextStep: data },
      turns: turnsOf(CONFIG, scheduleConfig(SHAPE, CONFIG)),
      controller: new LayerController(engine.plan.buffers.slots.length, false, []),
      parked: new Map(),
      completed: 0,
    };
    const losses: number[] = [];
    let ms = 0;
    while (losses.length < CONFIG.steps) {
      const begun = performance.now();
      losses.push((await (await takeStep(state)).stats).loss);
      ms = performance.now() - begun;
    }
    const error = Math.max(...losses.map((loss, at) => Math.abs(loss / CHECK_LOSSES[at] - 1)));
    const planned = engine.plan.allBuffers.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      losses,
      error: Number.isFinite(error) ? error : null,
      ms,
      planned,
      allocated: withTotal(engine.allocator.reading().live).total,
    };
  } finally {
    engine.close();
  }
}
