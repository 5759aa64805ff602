// How the bytes of a part of a memory bar are calculated: products of the model's and the run's numbers, and a remainder. The terms of a
// part add up to its bytes; the page translates them into words. Pure.

import { layerOps } from './layers';
import { valueWidths } from './ops/registry';
import type { RunPlan } from './run-plan';
import { storedParameters } from './storage';
import { elementBytes, type BufferSpec } from '../dispatch/types';

type CountUnit = 'layer' | 'parameter' | 'adapter parameter' | 'token' | 'value' | 'buffer' | 'row' | 'logit';

/** count × count × … × bytes. Without counts it is just a number of bytes. */
export interface FormulaTerm {
  readonly counts: readonly { readonly count: number; readonly unit: CountUnit }[];
  readonly bytes: number;
  /** What these bytes are: 'm and v'. */
  readonly what: string;
}

export const termBytes = ({ counts, bytes }: FormulaTerm): number => counts.reduce((product, { count }) => product * count, bytes);

export interface PartBytes {
  readonly id: 'weights' | 'edges-state' | 'layers-gradients' | 'layers-optimizer' | 'activations' | 'workspace' | 'other';
  readonly bytes: number;
}

const FLOAT = 4;

const term = (what: string, bytes: number, ...counts: readonly (readonly [number, CountUnit])[]): FormulaTerm => ({
  counts: counts.map(([count, unit]) => ({ count, unit })),
  bytes,
  what,
});

/** The terms, and the remaining bytes as one more term of this name; empty terms are left out. */
function complete(part: PartBytes, terms: readonly FormulaTerm[], rest: string): FormulaTerm[] {
  const found = terms.filter((each) => termBytes(each) > 0);
  const left = found.reduce((bytes, each) => bytes - termBytes(each), part.bytes);
  return left === 0 ? found : [...found, term(rest, left)];
}

const ALIGNMENT = 'start of every tensor at a multiple of 256 B';

/** Bytes of an element of m or v, apart from the scales of blocks. */
const stateWidth = ({ input }: RunPlan): number => (input.optimizerState === 'f32' ? FLOAT : 1);
const stateRest = ({ input }: RunPlan): string => (input.optimizerState === 'f32' ? ALIGNMENT : `scales of blocks; ${ALIGNMENT}`);

export function formulaOf(plan: RunPlan, part: PartBytes): FormulaTerm[] {
  switch (part.id) {
    case 'weights':
      return complete(part, weightTerms(plan), ALIGNMENT);
    case 'edges-state':
      return complete(part, alwaysOnTerms(plan), stateRest(plan));
    case 'layers-gradients':
      return complete(part, slotTerms(plan, FLOAT, 'gradient', plan.input.updateAtOnce ? 1 : plan.buffers.slots.length), ALIGNMENT);
    case 'layers-optimizer':
      return complete(part, slotTerms(plan, 2 * stateWidth(plan), 'm and v'), stateRest(plan));
    case 'activations':
      return complete(part, activationTerms(plan), 'start of every buffer at a multiple of 16 B');
    case 'workspace':
      return complete(part, [logitsTerm(plan)], 'losses and partial sums');
    case 'other':
      return complete(part, otherTerms(plan), 'tokens, constants and scalars');
  }
}

function weightTerms({ buffers, input }: RunPlan): FormulaTerm[] {
  const stored = storedParameters([...buffers.blocks.values()].flatMap(({ rows }) => rows));
  const masters = buffers.slots.filter(({ master }) => master !== null);
  const adapters = buffers.adapters.length;
  return [
    term('float32', FLOAT, [stored.f32, 'parameter']),
    term('float16', 2, [stored.f16, 'parameter']),
    term('bfloat16', 2, [stored.bf16, 'parameter']),
    term('int8 with a scale for 32', elementBytes({ stored: 'int8' }), [stored.int8, 'parameter']),
    term('int4 with a scale for 32', elementBytes({ stored: 'int4' }), [stored.int4, 'parameter']),
    ...(masters.length > 0
      ? [term('float32 while they train', FLOAT, [masters.length, 'layer'], [masters[0].layout.parameters, 'parameter'])]
      : []),
    ...[...buffers.alwaysOn].flatMap(([name, { master }]) =>
      master ? [term(`${name}: float32 while they train`, FLOAT, [input.trainedRows.count, 'row'], [input.shape.width, 'parameter'])] : [],
    ),
    ...(adapters > 0 ? [term('A and B', FLOAT, [adapters, 'layer'], [buffers.adapters[0].layout.parameters, 'adapter parameter'])] : []),
  ];
}

const alwaysOnTerms = (plan: RunPlan): FormulaTerm[] =>
  [...plan.buffers.alwaysOn].map(([name, { layout }]) =>
    term(`${name}: gradient, m and v`, FLOAT + 2 * stateWidth(plan), [layout.parameters, 'parameter']),
  );

function slotTerms({ buffers, input }: RunPlan, bytes: number, what: string, count = buffers.slots.length): FormulaTerm[] {
  const [slot] = buffers.slots;
  const unit = input.lora ? 'adapter parameter' : 'parameter';
  return slot ? [term(what, bytes, [count, 'layer'], [slot.layout.parameters, unit])] : [];
}

function logitsTerm({ buffers, input }: RunPlan): FormulaTerm {
  const rows = Math.min(buffers.chunkRows, input.rows);
  return term('logits of one chunk', FLOAT, [rows, 'row'], [buffers.logitsStride, 'logit']);
}

/** The values kept for the backward pass, by the number of layers that keep them, and the pool of short-lived values. */
function activationTerms({ allBuffers, buffers, input }: RunPlan): FormulaTerm[] {
  const { rows, shape } = input;
  const bytesOf = (specs: Iterable<BufferSpec>): number => [...new Set(specs)].reduce((sum, spec) => sum + spec.bytes, 0);
  const streams = [...new Set(buffers.stream)].filter((spec) => spec.bytes >= rows * shape.width * FLOAT);
  const keeping = buffers.saved.filter((values) => values.size > 0);
  const scratch = allBuffers.filter(({ name, memory }) => memory === 'activations' && name.startsWith('scratch.'));
  // Adapters keep values that no layer has by itself: those are counted by their bytes.
  const widths = valueWidths(layerOps(shape), shape);
  const width = ([name, { bytes }]: [string, BufferSpec]): number => widths.get(name) ?? Math.floor(bytes / (rows * FLOAT));
  const perToken = (specs: ReadonlyMap<string, BufferSpec> | undefined): number =>
    [...(specs ?? [])].reduce((sum, entry) => sum + width(entry), 0);
  return [
    term('kept for the backward', FLOAT, [keeping.length, 'layer'], [rows, 'token'], [perToken(keeping[0]), 'value']),
    term(
      'kept for gradients of weights',
      FLOAT,
      [buffers.slots.length, 'layer'],
      [rows, 'token'],
      [perToken(buffers.slots[0]?.saved), 'value'],
    ),
    term('residual stream', FLOAT, [streams.length, 'buffer'], [rows, 'token'], [shape.width, 'value']),
    term(`short-lived values, in ${scratch.length} shared buffers`, bytesOf(scratch)),
  ];
}

function otherTerms({ allBuffers, buffers, input }: RunPlan): FormulaTerm[] {
  const { shape, cacheTokens } = input;
  const staging = allBuffers.filter(({ memory }) => memory === 'staging').reduce((sum, { bytes }) => sum + bytes, 0);
  const width = shape.kvHeads * shape.headDim;
  const own = buffers.cache.flatMap(({ k, v }) => [k, v]).filter(({ buffer }) => buffer.memory === 'cache').length;
  const cache = term(
    'K and V while sampling that have no room elsewhere',
    FLOAT,
    [own, 'buffer'],
    [cacheTokens, 'token'],
    [width, 'value'],
  );
  return [cache, term('staging for reading back', staging)];
}
