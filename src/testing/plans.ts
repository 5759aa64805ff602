// Plans of runs for tests: configurations by name, all segments that a run can ever build, and what dispatches touch.

import { DEFAULTS, type RunConfig } from '../config/run-config';
import type { ModelShape } from '../model/types';
import { planInput, type PlanOptions } from '../plan/input';
import { RunPlan, type Assignment } from '../plan/run-plan';
import { microSegments, type StepPlan } from '../plan/step-plan';
import type { Dispatch, Segment, View } from '../dispatch/types';

const ON = { embedding: true, head: true, norm: true };
const OFF = { embedding: false, head: false, norm: false };

export interface MethodCase {
  readonly name: string;
  readonly config: (shape: ModelShape) => Partial<RunConfig>;
}

export const METHODS: readonly MethodCase[] = [
  { name: 'full', config: () => ({ method: 'full' }) },
  { name: 'LISA γ=1', config: () => ({ method: 'lisa', lisaLayers: 1, alwaysOn: ON }) },
  { name: 'LISA γ=2', config: () => ({ method: 'lisa', lisaLayers: 2, alwaysOn: ON }) },
  { name: 'LISA γ=L', config: ({ layers }) => ({ method: 'lisa', lisaLayers: layers, alwaysOn: ON }) },
  { name: 'LISA γ=1, drawn layers only', config: () => ({ method: 'lisa', lisaLayers: 1, alwaysOn: OFF }) },
  { name: 'LISA γ=2, drawn layers only', config: () => ({ method: 'lisa', lisaLayers: 2, alwaysOn: OFF }) },
  { name: 'LISA γ=L, drawn layers only', config: ({ layers }) => ({ method: 'lisa', lisaLayers: layers, alwaysOn: OFF }) },
  { name: 'LISA γ=2, head and norm only', config: () => ({ method: 'lisa', lisaLayers: 2, alwaysOn: { ...ON, embedding: false } }) },
  { name: 'LoRA', config: () => ({ method: 'lora', loraRank: 3, loraAlpha: 6 }) },
];

/**
 * Three of the methods, others for the next shape: for what depends on shape and method alike, where all shapes together need all methods.
 * Any three shapes in a row have all nine.
 */
export const methodsByTurns = (shape: number): readonly MethodCase[] => [0, 3, 6].map((at) => METHODS[(shape + at) % METHODS.length]);

export const runConfig = (shape: ModelShape, method: MethodCase, changes: Partial<RunConfig> = {}): RunConfig => ({
  ...DEFAULTS,
  steps: 20,
  seqLen: 19,
  batchSize: 2,
  sampleTokens: 11,
  ...method.config(shape),
  ...changes,
});

export const runPlan = (shape: ModelShape, config: RunConfig, options?: PlanOptions): RunPlan =>
  new RunPlan(planInput(shape, config, options));

/** Assignments that reach every (layer, slot) pair that the plan allows, together with the first of each. */
export function assignments(plan: RunPlan): Assignment[] {
  const { method, lowest, shape, slots } = plan.input;
  if (method !== 'lisa') return [new Map(Array.from({ length: slots }, (_, i) => [i, i]))];
  const layers = Array.from({ length: shape.layers - lowest }, (_, i) => lowest + i);
  const found: Assignment[] = [];
  // A window of `slots` layers, at every place, rotated through the slots; and every layer alone in every slot.
  layers.forEach((first, at) => {
    for (let turn = 0; turn < slots; turn++) {
      found.push(new Map([[first, turn]]));
      const window = layers.slice(at, at + slots);
      found.push(new Map(window.map((layer, i) => [layer, (i + turn) % slots])));
    }
  });
  return found;
}

/** Everything that a run can submit: steps with these assignments, evaluation, sampling and clears. */
export function everySegment(plan: RunPlan, over: readonly Assignment[] = assignments(plan)): Set<Segment> {
  const segments = new Set<Segment>([...plan.evaluation(plan.capacity), ...plan.generation()]);
  for (const assignment of over) stepSegments(plan.step(assignment), plan).forEach((segment) => segments.add(segment));
  plan.buffers.slots.forEach((slot) => segments.add(plan.reset(slot.index)));
  // With masters, layers come and go, and are evaluated and sampled from while they train.
  for (const assignment of plan.mastered ? over : []) {
    for (const segment of [...plan.evaluation(plan.capacity, assignment), ...plan.generation(assignment)]) segments.add(segment);
    for (const [layer, slot] of assignment) segments.add(plan.join(layer, slot)).add(plan.leave(layer, slot));
  }
  return segments;
}

/** All segments of a step over full micro-batches, in order. */
export const stepSegments = (step: StepPlan, plan: RunPlan): Segment[] => [
  ...microSegments(step, plan.capacity),
  ...step.norm,
  ...step.update,
];

export const dispatchesOf = (segments: Iterable<Segment>): Dispatch[] => [...segments].flatMap((segment) => segment.dispatches);

export const viewsBy = (dispatch: Dispatch, access: 'read' | 'read_write'): View[] =>
  dispatch.views.filter((_, at) => dispatch.kernel.bindings[at].access === access);
