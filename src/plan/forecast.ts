// Memory of a run before it runs: the sum of its plan, by category and by what it is for. Pure, so that the page
// answers every slider from a model's config alone.

import type { PolicyName } from '../config/policies';
import type { Method, RunConfig } from '../config/run-config';
import { drawBlocks, drawPeriod } from '../lisa/schedule';
import { formulaOf, type FormulaTerm, type PartBytes } from './forecast-formula';
import { planInput, scheduleConfig, type PlanInput } from './input';
import { bytesByCategory, sumBytes, type CategoryBytes } from '../dispatch/memory';
import { RunPlan, type Assignment } from './run-plan';
import { microSegments } from './step-plan';
import type { ModelShape, CheckpointTypes } from '../model/types';
import type { BufferSpec, Segment } from '../dispatch/types';
import { amount, type Extents } from '../dispatch/extents';

/** A part of a memory bar. */
export interface ForecastPart extends PartBytes {
  /** Terms that add up to the bytes. */
  readonly formula: readonly FormulaTerm[];
}

type LargestBuffer = Pick<BufferSpec, 'name' | 'bytes' | 'memory' | 'block' | 'tensor'>;

export interface Forecast {
  readonly method: Method;
  readonly bytes: CategoryBytes;
  readonly total: number;
  /** Bytes of K and V while sampling that lie in buffers of other categories, where they cost nothing. Older forecasts don't say. */
  readonly reused?: number;
  /**
   * The same bytes by purpose: weights; gradients and optimizer state of embedding, head and final norm
   * ('edges-state'); gradients of layers; optimizer state of layers; activations; workspace; the rest
   * (inputs, cache, staging).
   */
  readonly parts: readonly ForecastPart[];
  /** Parameters trained in one step. */
  readonly trainable: number;
  /** The sizes that the device's limits must allow. */
  readonly largest: {
    readonly buffer: LargestBuffer;
    /** The buffer of which a kernel binds the longest range, and the bytes of that range. */
    readonly binding: LargestBuffer;
  };
}

const ALWAYS_ON_BLOCKS = new Set(['embedding', 'norm', 'head']);

function partOf(spec: BufferSpec): ForecastPart['id'] {
  switch (spec.memory) {
    case 'weights':
    case 'masters':
      return 'weights';
    case 'gradients':
      return ALWAYS_ON_BLOCKS.has(spec.block ?? '') ? 'edges-state' : 'layers-gradients';
    case 'optimizer':
      return ALWAYS_ON_BLOCKS.has(spec.block ?? '') ? 'edges-state' : 'layers-optimizer';
    case 'activations':
    case 'workspace':
      return spec.memory;
    default:
      return 'other';
  }
}

const PART_IDS: readonly ForecastPart['id'][] = [
  'weights',
  'edges-state',
  'layers-gradients',
  'layers-optimizer',
  'activations',
  'workspace',
  'other',
];

/** Layers of the first step, each in a slot. */
export function firstAssignment(input: PlanInput, config: RunConfig): Assignment {
  const layers =
    input.method === 'lisa' ? drawPeriod(scheduleConfig(input.shape, config), 0) : Array.from({ length: input.shape.layers }, (_, i) => i);
  return new Map(layers.map((layer, slot) => [layer, slot]));
}

/** Parameters that train in a step with these layers, and of what is drawn like a layer the `drawn` (default: all). */
export function trainableParameters(plan: RunPlan, assignment: Assignment, drawn: readonly PolicyName[] = plan.input.sampled): number {
  const active = [...plan.buffers.alwaysOn].filter(([name]) => !plan.input.sampled.includes(name) || drawn.includes(name));
  const alwaysOn = active.reduce((sum, [, of]) => sum + of.layout.parameters, 0);
  return [...assignment.values()].reduce((sum, slot) => sum + plan.buffers.slots[slot].layout.parameters, alwaysOn);
}

/** What is drawn beside the layers of the first step. */
export const firstBlocks = (input: PlanInput, config: RunConfig): PolicyName[] =>
  input.method === 'lisa' ? drawBlocks(scheduleConfig(input.shape, config), 0) : [];

/** FLOPs of segments over live extents. */
export const segmentFlops = (segments: readonly Segment[], extents: Extents): number =>
  segments.reduce((sum, segment) => sum + segment.dispatches.reduce((s, dispatch) => s + amount(dispatch.work.flops, extents), 0), 0);

/**
 * `types`: types of the checkpoint's tensors, for those that are to be stored as they came. `dataTokens`: how many tokens of the vocabulary
 * occur in the training data (default: all). Throws CONFIG_INVALID if the configuration does not fit the model.
 */
export function forecast(shape: ModelShape, config: RunConfig, types?: CheckpointTypes, dataTokens?: number): Forecast {
  const input = { ...planInput(shape, config, { types, dataTokens }), abridged: true };
  const plan = new RunPlan(input);
  const assignment = firstAssignment(input, config);
  const bytes = bytesByCategory(plan.allBuffers);
  const parts = new Map<ForecastPart['id'], number>(PART_IDS.map((id) => [id, 0]));
  for (const spec of plan.allBuffers) parts.set(partOf(spec), parts.get(partOf(spec))! + spec.bytes);
  return {
    method: config.method,
    bytes,
    total: sumBytes(bytes),
    reused: reusedBytes(plan),
    parts: PART_IDS.map((id) => ({ id, bytes: parts.get(id)! })).map((part) => ({ ...part, formula: formulaOf(plan, part) })),
    trainable: trainableParameters(plan, assignment, firstBlocks(input, config)),
    largest: largestOf(plan),
  };
}

/** Bytes of the K/V cache in buffers that only steps use otherwise. */
const reusedBytes = ({ buffers }: RunPlan): number =>
  buffers.cache.flatMap(({ k, v }) => [k, v]).reduce((sum, { buffer, bytes }) => sum + (buffer.memory === 'cache' ? 0 : bytes), 0);

function largestOf(plan: RunPlan): Forecast['largest'] {
  const told = ({ name, memory, block, tensor }: BufferSpec, bytes: number): LargestBuffer => ({ name, bytes, memory, block, tensor });
  const buffer = plan.allBuffers.reduce((most, spec) => (spec.bytes > most.bytes ? spec : most));
  const views = plan.builtSegments().flatMap(({ dispatches }) => dispatches.flatMap((dispatch) => dispatch.views));
  const binding = views.reduce((most, view) => (view.bytes > most.bytes ? view : most));
  return { buffer: told(buffer, buffer.bytes), binding: told(binding.buffer, binding.bytes) };
}

/** FLOPs of one optimizer step that trains the first period's layers, with full rows in which every token counts toward the loss. */
function stepFlops(plan: RunPlan, config: RunConfig): number {
  const step = plan.step(firstAssignment(plan.input, config), firstBlocks(plan.input, config));
  const extents = plan.capacity;
  return config.gradAccum * segmentFlops(microSegments(step, extents), extents) + segmentFlops([...step.norm, ...step.update], extents);
}

/** The same from a model's shape alone. Throws CONFIG_INVALID if the configuration does not fit the model. */
export const stepFlopsOf = (shape: ModelShape, config: RunConfig, dataTokens?: number): number =>
  stepFlops(new RunPlan(planInput(shape, config, { dataTokens })), config);
