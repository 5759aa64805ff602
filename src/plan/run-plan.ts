// The plan of a whole run: every buffer, and for any draw of layers the segments of a step. Which buffers exist and how large
// the parameter table is follows from one representative of every kind of unit.

import { AppError } from '../base/errors';
import type { Extents } from '../dispatch/extents';
import { buildParamTable, distinctParams, type ParamTable } from '../dispatch/params';
import type { BufferSpec, Segment } from '../dispatch/types';
import { runBuffers } from './buffers';
import { headChunk, omittedChunks } from './head';
import { capacityOf, KERNEL_CHOICES, LEAST_DISPATCH_FLOPS, type PlanInput } from './input';
import type { RunBuffers } from './run-buffers';
import { liveHead, type HeadSection, type StepPlan } from './step-plan';
import { emitAll, Units, type Emitted, type Pass } from './units';

/** Which slot each trained layer uses, by layer. */
export type Assignment = ReadonlyMap<number, number>;

const NONE: Assignment = new Map();

/** Passes whose short-lived values and parameters depend on the kernels and on the cut of dispatches. */
const KERNEL_PASSES: ReadonlySet<string> = new Set<Pass[0]>(['forward', 'head', 'logits', 'backward']);

export class RunPlan {
  readonly input: PlanInput;
  readonly buffers: RunBuffers;
  readonly params: ParamTable;
  /** Everything that the run allocates. */
  readonly allBuffers: readonly BufferSpec[];
  /** The largest micro-batch. */
  readonly capacity: Extents;
  readonly #units: Units;
  readonly #layers: readonly number[];

  constructor(input: PlanInput) {
    this.input = input;
    this.buffers = runBuffers(input);
    this.capacity = capacityOf(input);
    this.#layers = Array.from({ length: input.shape.layers }, (_, i) => i);
    const kinds = this.#kinds();
    const others = this.#otherKernels(kinds);
    this.#units = new Units({ input, buffers: this.buffers }, kinds, others);
    if (input.purpose === 'train') this.#buildUpdates();
    const omitted = this.#omittedParams(this.builtSegments());
    // Every pass but those that depend on the kernels has the same parameters whatever the kernels are.
    const common = this.#units.segments((pass) => !KERNEL_PASSES.has(pass));
    const least = others.map(({ segments }) => distinctParams([...common, ...segments]) + this.#omittedParams(segments));
    this.params = buildParamTable(this.builtSegments(), { omitted, least: Math.max(1, ...least) });
    this.allBuffers = [...this.buffers.all, ...this.#units.pool, this.params.spec];
  }

  /** One optimizer step in which the given layers train, each with its slot. */
  step(assignment: Assignment): StepPlan {
    this.#checkTrains();
    const { alwaysOn } = this.input;
    const slotOf = (layer: number): number | null => assignment.get(layer) ?? null;
    const lowest = alwaysOn.embedding ? -1 : this.#layers.find((layer) => assignment.has(layer));
    if (lowest === undefined) throw new AppError('INTERNAL', 'A step must train something below the head.', '');
    if (lowest >= 0 && lowest < this.input.lowest)
      throw new AppError('INTERNAL', `Layer ${lowest} is below the lowest layer of the schedule, ${this.input.lowest}.`, '');
    const above = this.#layers.filter((layer) => layer >= lowest).reverse();
    const names = [...this.buffers.alwaysOn.keys()];
    const used = new Set(assignment.values());
    const idle = this.buffers.slots.filter(({ index }) => !used.has(index));
    const units = this.#units;
    return {
      forward: [
        ...units.pass('embedding', 'train'),
        ...this.#layers.flatMap((layer) => units.pass('forward', layer, slotOf(layer), 'train')),
      ],
      head: this.#head(true),
      backward: [
        ...above.flatMap((layer) => units.pass('backward', layer, slotOf(layer), layer > lowest)),
        ...(alwaysOn.embedding ? units.pass('embeddingBackward') : []),
      ],
      norm: [
        ...names.map((name) => units.update('alwaysOnSquares', name)),
        ...[...assignment.values()].map((slot) => units.update('slotSquares', slot)),
        ...idle.map(({ index }) => units.update('idleSquares', index)),
        units.update('norm'),
      ],
      update: [
        ...names.map((name) => units.update('alwaysOnUpdate', name)),
        ...[...assignment].map(([layer, slot]) => this.#slotUpdate(slot, layer)),
      ],
    };
  }

  /** Forward pass and loss, without gradients. `training`: layers whose weights are in the masters of their slots, if slots have any. */
  evaluation(extents: Extents, training: Assignment = NONE): Segment[] {
    this.#checkTrains();
    return [
      ...this.#units.pass('embedding', 'train'),
      ...this.#layers.flatMap((layer) => this.#units.pass('forward', layer, this.#masterOf(layer, training), 'train')),
      ...liveHead(this.#head(false), extents),
    ];
  }

  /** New tokens through the model, over the K/V cache, to the logits of one row. */
  generation(training: Assignment = NONE): Segment[] {
    return [
      ...this.#units.pass('embedding', 'generate'),
      ...this.#layers.flatMap((layer) => this.#units.pass('forward', layer, this.#masterOf(layer, training), 'generate')),
      ...this.#units.pass('logits'),
    ];
  }

  /** Clears the optimizer state of a slot. */
  reset(slot: number): Segment {
    return this.#units.update('reset', slot);
  }

  /** True if slots have masters, so that a switch has to move weights. */
  get mastered(): boolean {
    return this.buffers.slots.some(({ master }) => master !== null);
  }

  /** Brings the weights of a layer into its slot's master. */
  join(layer: number, slot: number): Segment {
    return this.#units.update('join', layer, slot);
  }

  /** Stores the master of a slot as the weights of its layer. */
  leave(layer: number, slot: number): Segment {
    return this.#units.update('leave', layer, slot);
  }

  /** Every segment built so far; for the validator. */
  builtSegments(): Segment[] {
    return this.#units.segments();
  }

  /** One pass of each kind: all share the pool, and their parameters are all that any step of the run uses. */
  #kinds(): Pass[] {
    const { shape, alwaysOn, method, purpose, lora, lowest } = this.input;
    const top = shape.layers - 1;
    const sampling: Pass[] = [['embedding', 'generate'], ['logits'], ['forward', top, null, 'generate']];
    if (purpose === 'generate') return sampling;
    const slot = lora || method === 'full' ? top : 0;
    const all: (Pass | false)[] = [
      ['embedding', 'train'],
      ...sampling,
      ['head', true],
      ['head', false],
      ['forward', top, null, 'train'],
      lowest > 0 && ['forward', 0, null, 'train'],
      alwaysOn.embedding && ['embeddingBackward'],
      this.mastered && ['forward', top, slot, 'generate'],
      ['forward', top, slot, 'train'],
      ['backward', top, slot, true],
      ['backward', top, slot, false],
      method === 'lisa' && ['backward', top, null, true],
    ];
    return all.filter((pass) => pass !== false);
  }

  /** Every kind of update once; a slot's has the same parameters for every layer that it may serve. */
  #buildUpdates(): void {
    const { method, slots } = this.input;
    for (const name of this.buffers.alwaysOn.keys()) {
      this.#units.update('alwaysOnSquares', name);
      this.#units.update('alwaysOnUpdate', name);
    }
    for (const { index, master } of this.buffers.slots) {
      this.#units.update('slotSquares', index);
      this.#slotUpdate(index, method === 'lisa' ? 0 : index);
      // Only a draw that is smaller than the pool leaves a slot idle, and no draw is empty.
      if (method === 'lisa' && slots > 1) this.#units.update('idleSquares', index);
      this.reset(index);
      if (!master) continue;
      this.join(0, index);
      this.leave(0, index);
    }
    this.#units.update('norm');
  }

  #slotUpdate(slot: number, layer: number): Segment {
    return this.#units.update('slotUpdate', slot, this.buffers.slots[slot].master ? 0 : layer);
  }

  #head(train: boolean): HeadSection {
    const segments = this.#units.pass('head', train);
    const [first, last] = [segments[0], segments[segments.length - 1]];
    return { first, chunks: segments.slice(1, -1), last, chunkRows: this.buffers.chunkRows };
  }

  /**
   * What the passes would be with every other device's kernels, in the finest cut. A run has room for the largest of them, so that its memory
   * follows from its settings alone.
   */
  #otherKernels(kinds: readonly Pass[]): Emitted[] {
    const { kernels: own, dispatchFlops } = this.input;
    const passes = kinds.filter(([name]) => KERNEL_PASSES.has(name));
    return KERNEL_CHOICES.filter((kernels) => kernels !== own || dispatchFlops !== LEAST_DISPATCH_FLOPS).map((kernels) =>
      emitAll({ input: { ...this.input, kernels, dispatchFlops: LEAST_DISPATCH_FLOPS }, buffers: this.buffers }, passes),
    );
  }

  /** Parameter slots of the head's chunks that are not built: each has its own, and evaluation's are among those of training. */
  #omittedParams(segments: readonly Segment[]): number {
    const omitted = omittedChunks(this.input, this.buffers.chunkRows);
    if (omitted === 0) return 0;
    return omitted * distinctParams(segments.filter(({ name }) => name === headChunk(1)).slice(0, 1));
  }

  #masterOf(layer: number, training: Assignment): number | null {
    const slot = training.get(layer);
    return slot !== undefined && this.buffers.slots[slot].master ? slot : null;
  }

  #checkTrains(): void {
    if (this.input.abridged) throw new AppError('INTERNAL', 'An abridged plan has no steps and no evaluation.', '');
    if (this.input.purpose !== 'train') throw new AppError('INTERNAL', 'A plan that generates has no steps and no evaluation.', '');
  }
}
