// The plan of a whole run: every buffer, and for any draw of layers the segments of a step. Segments are built
// on first use and kept, so a switch of layers re-uses all that it has seen; which buffers exist and how large
// the parameter table is follows from one representative of every kind of segment.

import { AppError } from '../base/errors';
import { runBuffers, type RunBuffers, type Slot } from './buffers';
import { embeddingBackward, embeddingForward } from './bottom';
import type { Context } from './emit';
import { headLogits, headLoss, type HeadUnit } from './head';
import { capacityOf, type PlanInput } from './input';
import { layerBackward, layerForward, type EmittedUnit } from './layer';
import * as optimizer from './optimizer';
import { buildParamTable, distinctParams, type ParamTable } from '../dispatch/params';
import { assignScratch, type ScratchPool, type Transient } from './scratch';
import type { BufferSpec, Dispatch, Segment } from '../dispatch/types';
import type { Extents } from '../dispatch/extents';

/** Which slot each trained layer uses, by layer. */
export type Assignment = ReadonlyMap<number, number>;

export interface StepPlan {
  /** Forward and backward of one micro-batch of these extents. */
  micro(extents: Extents): Segment[];
  /** After the last micro-batch: norm, clipping, updates. */
  readonly optimizer: readonly Segment[];
}

/** Norm and update of something that trains. */
interface TrainedSegments {
  readonly squares: Segment;
  readonly update: Segment;
}

const NONE: Assignment = new Map();

interface PlacedUnit {
  readonly segments: readonly Segment[];
}

export class RunPlan {
  readonly input: PlanInput;
  readonly buffers: RunBuffers;
  readonly params: ParamTable;
  /** Everything that the run allocates. */
  readonly allBuffers: readonly BufferSpec[];
  /** The largest micro-batch. */
  readonly capacity: Extents;
  readonly #context: Context;
  readonly #units = new Map<string, PlacedUnit>();
  readonly #pool: readonly BufferSpec[];

  constructor(input: PlanInput) {
    this.input = input;
    this.buffers = runBuffers(input);
    this.#context = { input, buffers: this.buffers };
    this.capacity = capacityOf(input);
    const emitted = this.#representatives();
    const pool = assignScratch(emitted.map(([, unit]) => transientsOf(unit)));
    this.#pool = pool.sizes.map((bytes, index) => ({ name: `scratch.${index}`, bytes, memory: 'activations', kind: 'storage' }));
    emitted.forEach(([key, unit], index) => this.#units.set(key, this.#place(unit, pool.assignment[index])));
    if (input.purpose === 'train') this.#buildOptimizer();
    this.params = buildParamTable(this.builtSegments(), omittedSlots(emitted));
    this.allBuffers = [...this.buffers.all, ...this.#pool, this.params.spec];
  }

  /** Segments of one optimizer step in which the given layers train, each with its slot. */
  step(assignment: Assignment): StepPlan {
    this.#checkTrains();
    const { shape, edges } = this.input;
    const layers = Array.from({ length: shape.layers }, (_, i) => i);
    const roles = layers.map((layer) => (assignment.has(layer) ? this.buffers.slots[assignment.get(layer)!] : null));
    const lowest = edges.embedding ? -1 : layers.find((layer) => roles[layer] !== null);
    if (lowest === undefined) throw new AppError('INTERNAL', 'A step with nothing to train below the head was asked for.', '');
    if (lowest >= 0 && lowest < this.input.lowest)
      throw new AppError('INTERNAL', `Layer ${lowest} is below the lowest layer of the schedule, ${this.input.lowest}.`, '');
    const below: Segment[] = [...this.#unit('embedding', () => embeddingForward(this.#context, 'train'))];
    for (const layer of layers) below.push(...this.#forward(layer, roles[layer]));
    const head = this.#head(true);
    const above: Segment[] = [head[head.length - 1]];
    for (const layer of [...layers].reverse()) {
      if (layer >= lowest) above.push(...this.#backward(layer, roles[layer], layer > lowest));
    }
    if (edges.embedding) above.push(...this.#unit('embedding bwd', () => embeddingBackward(this.#context)));
    const used = new Set(assignment.values());
    const trained = [
      ...this.#trainedEdges(),
      ...[...assignment].map(([layer, slot]) => this.#trainedSlot(this.buffers.slots[slot], layer)),
    ];
    const idle = this.buffers.slots.filter((slot) => !used.has(slot.index)).map((slot) => this.#idle(slot));
    return {
      micro: (extents) => [...below, head[0], ...this.#liveChunks(head, extents), ...above],
      optimizer: [...trained.map((t) => t.squares), ...idle, this.#norm(), ...trained.map((t) => t.update)],
    };
  }

  /** Forward pass and loss, without gradients. `training`: layers whose weights are in the masters of their slots, if slots have any. */
  evaluation(extents: Extents, training: Assignment = NONE): Segment[] {
    this.#checkTrains();
    const layers = Array.from({ length: this.input.shape.layers }, (_, i) => i);
    const head = this.#head(false);
    return [
      ...this.#unit('embedding', () => embeddingForward(this.#context, 'train')),
      ...layers.flatMap((layer) => this.#forward(layer, this.#masterOf(layer, training))),
      head[0],
      ...this.#liveChunks(head, extents),
      head[head.length - 1],
    ];
  }

  /** New tokens through the model, over the K/V cache, to the logits of one row. */
  generation(training: Assignment = NONE): Segment[] {
    const layers = Array.from({ length: this.input.shape.layers }, (_, i) => i);
    return [
      ...this.#unit('embedding gen', () => embeddingForward(this.#context, 'generate')),
      ...layers.flatMap((layer) => {
        const role = this.#masterOf(layer, training);
        return this.#unit(`gen ${layer} ${role?.index ?? -1}`, () => layerForward(this.#context, layer, role, 'generate'));
      }),
      ...this.#unit('head gen', () => headLogits(this.#context)),
    ];
  }

  /** Clears the optimizer state of a slot. */
  reset(slot: number): Segment {
    return this.#keep(`reset ${slot}`, () => optimizer.reset(this.buffers.slots[slot]));
  }

  /** Slots have masters: a switch has to move weights. */
  get mastered(): boolean {
    return this.buffers.slots.some(({ master }) => master !== null);
  }

  /** Brings the weights of a layer into its slot's master. */
  join(layer: number, slot: number): Segment {
    return this.#keep(`join ${layer} ${slot}`, () => optimizer.join(this.buffers.blocks.get(`layer.${layer}`)!, this.buffers.slots[slot]));
  }

  /** Stores the master of a slot as the weights of its layer. */
  leave(layer: number, slot: number): Segment {
    return this.#keep(`leave ${layer} ${slot}`, () =>
      optimizer.leave(this.buffers.blocks.get(`layer.${layer}`)!, this.buffers.slots[slot]),
    );
  }

  /** Every segment built so far; for the validator. */
  builtSegments(): Segment[] {
    return [...this.#units.values()].flatMap((unit) => unit.segments);
  }

  /** Every kind of optimizer segment once; a slot's update has the same parameters for every layer it may serve. */
  #buildOptimizer(): void {
    this.#trainedEdges();
    for (const slot of this.buffers.slots) {
      this.#trainedSlot(slot, this.input.method === 'lisa' ? 0 : slot.index);
      // Only a draw that is smaller than the pool leaves a slot idle, and no draw is empty.
      if (this.input.method === 'lisa' && this.input.slots > 1) this.#idle(slot);
      this.reset(slot.index);
      if (!slot.master) continue;
      this.join(0, slot.index);
      this.leave(0, slot.index);
    }
    this.#norm();
  }

  /** One of each kind: all share the pool, and their parameters are all that any step of the run uses. */
  #representatives(): [string, EmittedUnit][] {
    const context = this.#context;
    const { shape, edges, lora, lowest } = this.input;
    const top = shape.layers - 1;
    if (this.input.purpose === 'generate')
      return [
        ['embedding gen', embeddingForward(context, 'generate')],
        ['head gen', headLogits(context)],
        [`gen ${top} -1`, layerForward(context, top, null, 'generate')],
      ];
    const list: [string, EmittedUnit][] = [
      ['embedding', embeddingForward(context, 'train')],
      ['embedding gen', embeddingForward(context, 'generate')],
      ['head true', headLoss(context, true)],
      ['head false', headLoss(context, false)],
      ['head gen', headLogits(context)],
      [`gen ${top} -1`, layerForward(context, top, null, 'generate')],
      [`fwd ${top} -1`, layerForward(context, top, null, 'train')],
    ];
    if (lowest > 0) list.push(['fwd 0 -1', layerForward(context, 0, null, 'train')]);
    if (edges.embedding) list.push(['embedding bwd', embeddingBackward(context)]);
    const slot = this.buffers.slots[lora || this.input.method === 'full' ? top : 0];
    if (slot.master) list.push([`gen ${top} ${slot.index}`, layerForward(context, top, slot, 'generate')]);
    list.push([`fwd ${top} ${slot.index}`, layerForward(context, top, slot, 'train')]);
    list.push([`bwd ${top} ${slot.index} true`, layerBackward(context, top, slot, true)]);
    list.push([`bwd ${top} ${slot.index} false`, layerBackward(context, top, slot, false)]);
    if (this.input.method === 'lisa') list.push([`bwd ${top} -1 true`, layerBackward(context, top, null, true)]);
    return list;
  }

  #checkTrains(): void {
    if (this.input.abridged) throw new AppError('INTERNAL', 'An abridged plan has no steps and no evaluation.', '');
    if (this.input.purpose !== 'train') throw new AppError('INTERNAL', 'A plan that generates has no steps and no evaluation.', '');
  }

  #masterOf(layer: number, training: Assignment): Slot | null {
    const slot = training.get(layer);
    return slot !== undefined && this.buffers.slots[slot].master ? this.buffers.slots[slot] : null;
  }

  #forward(layer: number, role: Slot | null): readonly Segment[] {
    return this.#unit(`fwd ${layer} ${role?.index ?? -1}`, () => layerForward(this.#context, layer, role, 'train'));
  }

  #backward(layer: number, role: Slot | null, needInput: boolean): readonly Segment[] {
    return this.#unit(`bwd ${layer} ${role?.index ?? -1} ${needInput}`, () => layerBackward(this.#context, layer, role, needInput));
  }

  #head(train: boolean): readonly Segment[] {
    return this.#unit(`head ${train}`, (): HeadUnit => headLoss(this.#context, train));
  }

  /** Chunks of the head that hold targets. */
  #liveChunks(head: readonly Segment[], extents: Extents): readonly Segment[] {
    return head.slice(1, 1 + Math.max(1, Math.ceil(extents.targets / this.buffers.chunkRows)));
  }

  #trainedEdges(): TrainedSegments[] {
    return [...this.buffers.edges].map(([name, of]) => ({
      squares: this.#keep(`squares ${name}`, () => optimizer.squares(this.#context, of)),
      update: this.#keep(`update ${name}`, () => optimizer.update(this.#context, this.buffers.blocks.get(name)!.store, of)),
    }));
  }

  #trainedSlot(slot: Slot, layer: number): TrainedSegments {
    const { adapters, blocks } = this.buffers;
    const weights = slot.master ?? (this.input.lora ? adapters[layer].store : blocks.get(`layer.${layer}`)!.store);
    return {
      squares: this.#keep(`squares ${slot.name}`, () => optimizer.squares(this.#context, slot)),
      update: this.#keep(`update ${slot.name} ${weights.name}`, () => optimizer.update(this.#context, weights, slot)),
    };
  }

  #idle(slot: Slot): Segment {
    return this.#keep(`idle ${slot.index}`, () => optimizer.idleSquares(this.#context, slot));
  }

  #norm(): Segment {
    return this.#keep('norm', () => optimizer.norm(this.#context));
  }

  #keep(key: string, build: () => Segment): Segment {
    return this.#unit(key, () => ({ segments: [build()] }))[0];
  }

  #unit(key: string, emit: () => EmittedUnit | PlacedUnit): readonly Segment[] {
    let unit = this.#units.get(key);
    if (!unit) {
      const made = emit();
      if ('transients' in made) {
        const alone = assignScratch([transientsOf(made)]);
        this.#checkFits(alone, made.name);
        unit = this.#place(made, alone.assignment[0]);
      } else {
        unit = made;
      }
      this.#units.set(key, unit);
    }
    return unit.segments;
  }

  /** The same kind of unit in another layer has the same transients, so it gets the same places. */
  #checkFits(pool: ScratchPool, name: string): void {
    if (pool.sizes.some((bytes, index) => bytes > (this.#pool[index]?.bytes ?? 0)))
      throw new AppError('INTERNAL', `Unit ${name} does not fit the plan's scratch pool.`, '');
  }

  #place(unit: EmittedUnit, assignment: ReadonlyMap<string, number>): PlacedUnit {
    const byMark = new Map(
      [...unit.transients.specs].filter(([name]) => assignment.has(name)).map(([name, spec]) => [spec, this.#pool[assignment.get(name)!]]),
    );
    const replace = (dispatch: Dispatch): Dispatch => ({
      ...dispatch,
      views: dispatch.views.map((view) => ({ ...view, buffer: byMark.get(view.buffer) ?? view.buffer })),
    });
    return { segments: unit.segments.map(({ name, dispatches }) => ({ name, dispatches: dispatches.map(replace) })) };
  }
}

/** Parameter slots of the head's chunks that are not built: each has its own, and training shares them with evaluation. */
function omittedSlots(emitted: readonly [string, EmittedUnit][]): number {
  const heads = emitted.flatMap(([, unit]) => ('omitted' in unit ? [unit as HeadUnit] : []));
  const omitted = heads[0]?.omitted ?? 0;
  return omitted === 0 ? 0 : omitted * distinctParams(heads.map(({ segments }) => segments[2]));
}

/** Lifetimes by first and last dispatch of the unit that touches each mark. */
function transientsOf(unit: EmittedUnit): Transient[] {
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
