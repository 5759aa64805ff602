// The units of work that a run is made of, each identified by its builder and its arguments. A unit is built when it is first requested,
// and kept: a switch of layers reuses all units that exist. Its key is the builder's name with the arguments, so that whoever names a unit
// names what builds it.

import { AppError } from '../base/errors';
import type { BufferSpec, Dispatch, Segment } from '../dispatch/types';
import { embeddingBackward, embeddingForward } from './bottom';
import type { Context, Unit } from './emit';
import { headLogits, headLoss } from './head';
import { layerBackward, layerForward, type ForwardMode } from './layer';
import * as optimizer from './optimizer';
import type { AlwaysOnName, Slot } from './run-buffers';
import { assignScratch, type ScratchPool, type Transient } from './scratch';

const slotOf = ({ buffers }: Context, slot: number | null): Slot | null => (slot === null ? null : buffers.slots[slot]);
const layerBlock = ({ buffers }: Context, layer: number) => buffers.blocks.get(`layer.${layer}`)!;

export type HeadMode = 'eval' | 'matrix norm' | 'matrix' | 'norm' | 'nothing';

/** Builders of what runs over the rows of a micro-batch. Their short-lived buffers share the run's pool. */
const PASSES = {
  embedding: (context: Context, mode: ForwardMode) => embeddingForward(context, mode),
  forward: (context: Context, layer: number, slot: number | null, mode: ForwardMode) =>
    layerForward(context, layer, slotOf(context, slot), mode),
  /** `mode` evaluates, or trains what it names: 'matrix norm', 'matrix', 'norm', 'nothing'. */
  head: (context: Context, mode: HeadMode) =>
    headLoss(context, mode !== 'eval' && { matrix: mode.includes('matrix'), norm: mode.includes('norm') }),
  logits: (context: Context) => headLogits(context),
  backward: (context: Context, layer: number, slot: number | null, wantsInput: boolean) =>
    layerBackward(context, layer, slotOf(context, slot), wantsInput),
  embeddingBackward: (context: Context) => embeddingBackward(context),
} as const;

/** Builders of what runs once a step, or at a switch of layers. They have no short-lived buffers. */
const UPDATES = {
  alwaysOnSquares: ({ buffers, input }: Context, name: AlwaysOnName) => optimizer.squares({ buffers, input }, buffers.alwaysOn.get(name)!),
  alwaysOnClip: (context: Context, name: AlwaysOnName) => optimizer.clip(context, context.buffers.alwaysOn.get(name)!),
  alwaysOnUpdate: (context: Context, name: AlwaysOnName) => {
    const trained = context.buffers.alwaysOn.get(name)!;
    return optimizer.update(context, trained.master ?? context.buffers.blocks.get(name)!.weights, trained);
  },
  slotSquares: (context: Context, slot: number) => optimizer.squares(context, context.buffers.slots[slot]),
  slotClip: (context: Context, slot: number) => optimizer.clip(context, context.buffers.slots[slot]),
  /** `layer` matters only if the slot has no master: it says whose weights are updated. */
  slotUpdate: (context: Context, slot: number, layer: number) => {
    const { adapters, slots } = context.buffers;
    const weights = slots[slot].master ?? (context.input.lora ? adapters[layer].weights : layerBlock(context, layer).weights);
    return optimizer.update(context, weights, slots[slot]);
  },
  idleBlock: (context: Context, name: AlwaysOnName) => optimizer.idleSquares(context, context.buffers.alwaysOn.get(name)!),
  resetBlock: ({ buffers }: Context, name: AlwaysOnName) => optimizer.reset(buffers.alwaysOn.get(name)!),
  idleSquares: (context: Context, slot: number) => optimizer.idleSquares(context, context.buffers.slots[slot]),
  norm: (context: Context) => optimizer.norm(context),
  pack: (context: Context) => optimizer.packPiece(context),
  reset: ({ buffers }: Context, slot: number) => optimizer.reset(buffers.slots[slot]),
  join: (context: Context, layer: number, slot: number) => optimizer.join(layerBlock(context, layer), context.buffers.slots[slot]),
  leave: (context: Context, layer: number, slot: number) => optimizer.leave(layerBlock(context, layer), context.buffers.slots[slot]),
} as const;

type Rest<F> = F extends (context: Context, ...rest: infer R) => unknown ? R : never;
type PassName = keyof typeof PASSES;
type UpdateName = keyof typeof UPDATES;
/** A pass by name, with its builder's arguments. */
export type Pass = { [K in PassName]: readonly [K, ...Rest<(typeof PASSES)[K]>] }[PassName];
export type Update = { [K in UpdateName]: readonly [K, ...Rest<(typeof UPDATES)[K]>] }[UpdateName];

/** The unit of a pass, not yet in the pool. */
function emit(context: Context, [name, ...rest]: Pass): Unit {
  const build = PASSES[name] as (context: Context, ...rest: unknown[]) => Unit;
  return build(context, ...rest);
}

/** Passes outside the pool: bytes that they need of it, and their segments. */
export interface Emitted {
  readonly pool: readonly number[];
  readonly segments: readonly Segment[];
}

export function emitAll(context: Context, passes: readonly Pass[]): Emitted {
  const units = passes.map((pass) => emit(context, pass));
  return { pool: assignScratch(units.map(transientsOf)).sizes, segments: units.flatMap(({ segments }) => segments) };
}

export class Units {
  /** Buffers of short-lived values. All passes share them, since they run one after another. */
  readonly pool: readonly BufferSpec[];
  readonly #context: Context;
  readonly #built = new Map<string, readonly Segment[]>();

  /**
   * `kinds`: one pass of every kind that needs something else of the pool. A pass that is requested later must fit the same pool, and so must
   * `others`.
   */
  constructor(context: Context, kinds: readonly Pass[], others: readonly Pick<Emitted, 'pool'>[]) {
    this.#context = context;
    const emitted = kinds.map((pass) => emit(context, pass));
    const pool = assignScratch(emitted.map(transientsOf));
    const pools = [pool.sizes, ...others.map((other) => other.pool)];
    const sizes = Array.from({ length: Math.max(...pools.map(({ length }) => length)) }, (_, i) =>
      Math.max(...pools.map((bytes) => bytes[i] ?? 0)),
    );
    this.pool = sizes.map((bytes, index) => ({ name: `scratch.${index}`, bytes, memory: 'activations', kind: 'storage' }));
    emitted.forEach((unit, index) => this.#built.set(kinds[index].join(' '), this.#place(unit, pool.assignment[index])));
  }

  pass(...pass: Pass): readonly Segment[] {
    const key = pass.join(' ');
    const known = this.#built.get(key);
    if (known) return known;
    const unit = emit(this.#context, pass);
    const alone = assignScratch([transientsOf(unit)]);
    this.#checkFits(alone, unit.name);
    const segments = this.#place(unit, alone.assignment[0]);
    this.#built.set(key, segments);
    return segments;
  }

  update(...[name, ...rest]: Update): Segment {
    const key = [name, ...rest].join(' ');
    const known = this.#built.get(key);
    if (known) return known[0];
    const build = UPDATES[name] as (context: Context, ...rest: unknown[]) => Segment;
    const segment = build(this.#context, ...rest);
    this.#built.set(key, [segment]);
    return segment;
  }

  /** Every segment built so far, or those of the units whose names are `wanted`. */
  segments(wanted: (name: string) => boolean = () => true): Segment[] {
    return [...this.#built].filter(([key]) => wanted(key.split(' ')[0])).flatMap(([, segments]) => segments);
  }

  /** The same kind of unit in another layer has the same transients, so it gets the same places. */
  #checkFits(pool: ScratchPool, name: string): void {
    if (pool.sizes.some((bytes, index) => bytes > (this.pool[index]?.bytes ?? 0)))
      throw new AppError('INTERNAL', `Unit ${name} does not fit the plan's scratch pool.`, '');
  }

  #place(unit: Unit, assignment: ReadonlyMap<string, number>): readonly Segment[] {
    const byMark = new Map(
      [...unit.transients.specs].filter(([name]) => assignment.has(name)).map(([name, spec]) => [spec, this.pool[assignment.get(name)!]]),
    );
    const replace = (dispatch: Dispatch): Dispatch => ({
      ...dispatch,
      views: dispatch.views.map((view) => ({ ...view, buffer: byMark.get(view.buffer) ?? view.buffer })),
    });
    return unit.segments.map(({ name, dispatches }) => ({ name, dispatches: dispatches.map(replace) }));
  }
}

/** Lifetimes by first and last dispatch of the unit that touches each mark. */
function transientsOf(unit: Unit): Transient[] {
  const dispatches = unit.segments.flatMap((segment) => segment.dispatches);
  const names = new Map([...unit.transients.specs].map(([name, spec]) => [spec, name]));
  const found = new Map<string, { bytes: number; first: number; last: number }>();
  dispatches.forEach((dispatch, at) => {
    for (const { buffer } of dispatch.views) {
      const name = names.get(buffer);
      if (name === undefined) continue;
      const known = found.get(name);
      if (known) known.last = at;
      else found.set(name, { bytes: buffer.bytes, first: at, last: at });
    }
  });
  return [...found].map(([name, life]) => ({ name, ...life }));
}
