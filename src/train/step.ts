// One optimizer step, top to bottom. LISA, full training and LoRA use the same one: they differ in which layers train (lisa/schedule.ts)
// and in the plan. The function returns when all work is submitted; the figures come when the GPU has them.

import { AppError } from '../base/errors';
import type { PolicyName } from '../config/policies';
import type { RunConfig } from '../config/run-config';
import { learningRate, rewarmed } from '../config/learning-rate';
import type { Loader } from '../data/batch/loader';
import { FULL_VIEW } from '../dispatch/types';
import { writeBatch } from '../engine/inputs';
import { periodOf, startsPeriod, type Turns } from '../lisa/schedule';
import { ALWAYS_ON_NAMES } from '../plan/buffers';
import { liveHead } from '../plan/step-plan';
import { adamwScalars } from '../shaders/adamw/adamw';
import { switchLayers, type SlotsState } from './switch-layers';
import { readStats, type StepStats } from '../shaders/loss/stats';

/** What the steps of a run read and change. */
export interface StepState extends SlotsState {
  readonly config: RunConfig;
  readonly loader: Pick<Loader, 'nextStep'>;
  readonly turns: Turns;
  /** Optimizer steps that were submitted. */
  completed: number;
}

/** A step that was submitted; `step` counts from 1. */
export interface Submitted {
  readonly step: number;
  readonly lr: number;
  /** The layers that trained in it, ascending. */
  readonly layers: readonly number[];
  /** What trained beside them, of what is drawn like a layer. */
  readonly blocks: readonly PolicyName[];
  readonly tokens: number;
  readonly targets: number;
  /** Two of these may be under way: await those of step n before step n + 2 is taken. */
  readonly stats: Promise<StepStats>;
  /** Norm of the gradient of each layer that trained, before clipping; null where the plan does not read them back. */
  readonly layerNorms: Promise<ReadonlyMap<number, number>> | null;
}

export async function takeStep(state: StepState): Promise<Submitted> {
  const { config, engine, loader, turns, controller } = state;
  const { executor, plan } = engine;
  const { scalars, stats, statsStaging } = plan.buffers;
  const step = state.completed + 1;

  // ── which layers ─────────────────────────────────────────────────────────────────────────────────────────────────
  const { stepsPerPeriod, rewarm } = turns;
  const period = periodOf(step, stepsPerPeriod);
  if (startsPeriod(state.completed, stepsPerPeriod)) await switchLayers(state, turns.layersOf(period), turns.blocksOf(period));
  const { forward, head, backward, norm, update } = plan.step(controller.assignment(), controller.drawn());

  // ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  const { microBatches, targets, tokens } = loader.nextStep();

  if (plan.input.updateAtOnce && microBatches.length > 1)
    throw new AppError('INTERNAL', `${microBatches.length} micro-batches for a plan that updates layers in the backward of the first.`, '');

  // ── rates: a row for each trainable, with the bias correction for the number of updates that its m and v have seen
  const { weightDecay, beta1, beta2 } = config;
  const lr = learningRate(config, state.completed);
  const row = (rate: number, seen: number) => adamwScalars(rate, weightDecay, beta1, beta2, seen + 1);
  const sampled = new Map(controller.blocks().map(({ name, updates }) => [name, row(rewarmed(lr, updates, rewarm), updates)]));
  const alwaysOn = ALWAYS_ON_NAMES.map((name) => sampled.get(name) ?? row(lr, state.completed));
  const factor = (layer: number | null): number => (layer === null ? 1 : (turns.rateOf?.(layer) ?? 1));
  const slots = controller.slots().map(({ layer, updates }) => row(rewarmed(lr, updates, rewarm) * factor(layer), updates));
  executor.write(FULL_VIEW(scalars), Float32Array.from([...alwaysOn, ...slots].flat()));

  for (const [index, batch] of microBatches.entries()) {
    // ── forward and backward of each micro-batch ───────────────────────────────────────────────────────────────────
    writeBatch(engine, batch);
    executor.writeFrame({ extents: batch.extents, accumulate: index > 0, lossScale: 1 / targets });
    const segments = [...forward, ...liveHead(head, batch.extents), ...backward];
    // ── norm, clip, AdamW: submitted together with the last, so that the GPU does not wait in between ──────────────
    if (index === microBatches.length - 1) segments.push(...norm, ...update);
    await executor.run(segments, batch.extents);
  }

  // ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────
  controller.countUpdate();
  state.completed = step;
  const copy = executor.read(FULL_VIEW(stats), statsStaging[step % 2]).then((bytes) => new Float32Array(bytes));
  const layerNorms = readLayerNorms(state, step);
  return { step, lr, layers: controller.layers(), blocks: controller.drawn(), tokens, targets, stats: copy.then(readStats), layerNorms };
}

/** From the sums of squares that the step has left, one range for each slot; added up in float64. */
function readLayerNorms({ engine, controller }: StepState, step: number): Submitted['layerNorms'] {
  const { partials, partialsStaging, slots } = engine.plan.buffers;
  if (!partialsStaging) return null;
  const assignment = controller.assignment();
  return engine.executor.read(FULL_VIEW(partials), partialsStaging[step % 2]).then((bytes) => {
    const sums = new Float32Array(bytes);
    return new Map(
      [...assignment].map(([layer, slot]) => {
        const { partialsAt, partials: count } = slots[slot];
        return [layer, Math.sqrt(sums.subarray(partialsAt, partialsAt + count).reduce((sum, square) => sum + square, 0))] as const;
      }),
    );
  });
}
