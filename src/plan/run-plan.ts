// The plan of a whole run: every buffer, and for any draw of layers the segments of a step. Which buffers exist and how large
// the parameter table is follows from one representative of every kind of unit.

import { AppError } from '../base/errors';
import type { PolicyName } from '../config/policies';
import type { Extents } from '../dispatch/extents';
import { buildParamTable, distinctParams, type ParamTable } from '../dispatch/params';
import type { BufferSpec, Segment } from '../dispatch/types';
import { runBuffers } from './buffers';
import { layerKinds } from './layers';
import { headChunk, omittedChunks } from './head';
import { capacityOf, KERNEL_CHOICES, LEAST_DISPATCH_FLOPS, type PlanInput } from './input';
import type { AlwaysOnName, RunBuffers } from './run-buffers';
import { liveHead, type HeadSection, type StepPlan } from './step-plan';
import { emitAll, Units, type Emitted, type HeadMode, type Pass } from './units';

/** Which slot each trained layer uses, by layer. */
export type Assignment = ReadonlyMap<number, number>;

const NONE: Assignment = new Map();

/** Passes whose short-lived values and parameters depend on the kernels and on the cut of dispatches. */
const KERNEL_PASSES: ReadonlySet<string> = new Set<Pass[0]>(['forward', 'head', 'logits', 'backward']);

/** What the head's pass has gradients for where these blocks train. */
function headMode({ shape }: PlanInput, names: readonly PolicyName[]): HeadMode {
  const matrix = names.includes(shape.tied ? 'embedding' : 'head');
  const norm = names.includes('norm');
  return matrix && norm ? 'matrix norm' : matrix ? 'matrix' : norm ? 'norm' : 'nothing';
}

/** Every mode that a step of the run may have. */
function headModes(input: PlanInput): HeadMode[] {
  const always = (['embedding', 'head', 'norm'] as const).filter((name) => input.alwaysOn[name] && !input.sampled.includes(name));
  const sets = input.sampled.reduce<PolicyName[][]>((found, name) => [...found, ...found.map((set) => [...set, name])], [always]);
  return [...new Set(sets.map((names) => headMode(input, names)))];
}

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
    if (this.buffers.packing) this.pack();
    if (input.purpose === 'train') this.#buildUpdates();
    const omitted = this.#omittedParams(this.builtSegments());
    // Every pass but those that depend on the kernels has the same parameters whatever the kernels are.
    const common = this.#units.segments((pass) => !KERNEL_PASSES.has(pass));
    const least = others.map(({ segments }) => distinctParams([...common, ...segments]) + this.#omittedParams(segments));
    this.params = buildParamTable(this.builtSegments(), { omitted, least: Math.max(1, ...least) });
    this.allBuffers = [...this.buffers.all, ...this.#units.pool, this.params.spec];
  }

  /** One optimizer step in which the given layers train, each with its slot; and which blocks of those that are sampled (default: all). */
  step(assignment: Assignment, drawn: readonly PolicyName[] = this.input.sampled): StepPlan {
    this.#checkTrains();
    const { sampled, updateAtOnce } = this.input;
    const names = [...this.buffers.alwaysOn.keys()].filter((name) => !sampled.includes(name) || drawn.includes(name));
    const idleNames = [...this.buffers.alwaysOn.keys()].filter((name) => !names.includes(name));
    const embedding = names.includes('embedding');
    const slotOf = (layer: number): number | null => assignment.get(layer) ?? null;
    // Where head or final norm train alone, no layer passes a gradient on.
    const noLayer = names.length > 0 ? this.#layers.length : undefined;
    const lowest = embedding ? -1 : (this.#layers.find((layer) => assignment.has(layer)) ?? noLayer);
    if (lowest === undefined) throw new AppError('INTERNAL', 'A step must train something below the head.', '');
    if (lowest >= 0 && lowest < this.input.lowest)
      throw new AppError('INTERNAL', `Layer ${lowest} is below the lowest layer of the schedule, ${this.input.lowest}.`, '');
    const above = this.#layers.filter((layer) => layer >= lowest).reverse();
    const used = new Set(assignment.values());
    const idle = this.buffers.slots.filter(({ index }) => !used.has(index));
    const units = this.#units;
    return {
      forward: [
        ...units.pass('embedding', 'train'),
        ...this.#layers.flatMap((layer) => units.pass('forward', layer, slotOf(layer), 'train')),
      ],
      head: this.#head(headMode(this.input, names)),
      backward: [
        ...above.flatMap((layer) => [
          ...units.pass('backward', layer, slotOf(layer), layer > lowest),
          ...(updateAtOnce && assignment.has(layer) ? this.#updateOf(assignment.get(layer)!, layer) : []),
        ]),
        ...(embedding ? units.pass('embeddingBackward') : []),
      ],
      norm: [
        ...names.flatMap((name) => this.#normOf('alwaysOn', name)),
        ...(updateAtOnce ? [] : [...assignment.values()].flatMap((slot) => this.#normOf('slot', slot))),
        ...idle.map(({ index }) => units.update('idleSquares', index)),
        ...idleNames.map((name) => units.update('idleBlock', name)),
        units.update('norm'),
      ],
      update: [
        ...names.map((name) => units.update('alwaysOnUpdate', name)),
        ...(updateAtOnce ? [] : [...assignment].map(([layer, slot]) => this.#slotUpdate(slot, layer))),
      ],
    };
  }

  /** Forward pass and loss, without gradients. `training`: layers whose weights are in the masters of their slots, if slots have any. */
  evaluation(extents: Extents, training: Assignment = NONE): Segment[] {
    this.#checkTrains();
    return [
      ...this.#units.pass('embedding', 'train'),
      ...this.#layers.flatMap((layer) => this.#units.pass('forward', layer, this.#masterOf(layer, training), 'train')),
      ...liveHead(this.#head('eval'), extents),
    ];
  }

  /**
   * Forward pass and loss as an 'evaluate' plan takes them, layer by layer: between two of these, the residual stream is in `stream`, and the
   * weights of the next layer can take the place of the last one's.
   */
  evaluationByLayer(extents: Extents): { readonly embedding: Segment[]; readonly layers: readonly Segment[][]; readonly head: Segment[] } {
    if (this.input.purpose !== 'evaluate') throw new AppError('INTERNAL', 'Only a plan that evaluates goes layer by layer.', '');
    return {
      embedding: [...this.#units.pass('embedding', 'train')],
      layers: this.#layers.map((layer) => [...this.#units.pass('forward', layer, null, 'train')]),
      head: liveHead(this.#head('eval'), extents),
    };
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

  /** Turns the values in the packing buffer into codes. */
  pack(): Segment {
    return this.#units.update('pack');
  }

  /** Clears the optimizer state of a block that is sampled. */
  resetBlock(name: PolicyName): Segment {
    return this.#units.update('resetBlock', name);
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
    const tops = layerKinds(shape);
    const sampling: Pass[] = [['embedding', 'generate'], ['logits'], ...tops.map((top): Pass => ['forward', top, null, 'generate'])];
    if (purpose === 'generate') return sampling;
    if (purpose === 'evaluate')
      return [['embedding', 'train'], ...tops.map((top): Pass => ['forward', top, null, 'train']), ['head', 'eval']];
    // A kind whose layers all lie below the lowest that trains has no backward.
    const trained = tops.filter((top) => top >= lowest).map((top) => [top, lora || method === 'full' ? top : 0] as const);
    const all: (Pass | false)[] = [
      ['embedding', 'train'],
      ...sampling,
      ...headModes(this.input).map((mode): Pass => ['head', mode]),
      ['head', 'eval'],
      ...tops.map((top): Pass => ['forward', top, null, 'train']),
      lowest > 0 && ['forward', 0, null, 'train'],
      alwaysOn.embedding && ['embeddingBackward'],
      ...trained.flatMap(([top, slot]): (Pass | false)[] => [
        this.mastered && ['forward', top, slot, 'generate'],
        ['forward', top, slot, 'train'],
        ['backward', top, slot, true],
        ['backward', top, slot, false],
        method === 'lisa' && ['backward', top, null, true],
      ]),
    ];
    return all.filter((pass) => pass !== false);
  }

  /** Every kind of update once; a slot's has the same parameters for every layer that it may serve. */
  #buildUpdates(): void {
    const { method, slots, sampled, emptyDraws } = this.input;
    for (const name of this.buffers.alwaysOn.keys()) {
      this.#normOf('alwaysOn', name);
      if (sampled.includes(name)) {
        this.#units.update('idleBlock', name);
        this.resetBlock(name);
      }
      this.#units.update('alwaysOnUpdate', name);
    }
    for (const { index, master } of this.buffers.slots) {
      this.#normOf('slot', index);
      this.#slotUpdate(index, method === 'lisa' ? 0 : index);
      // Only a draw of fewer layers than the pool has leaves a slot idle.
      if (method === 'lisa' && (slots > 1 || sampled.length > 0 || emptyDraws)) this.#units.update('idleSquares', index);
      this.reset(index);
      if (!master) continue;
      // What is quantised joins from its full precision (engine/truth.ts).
      if (!this.buffers.packing) this.join(0, index);
      this.leave(0, index);
    }
    this.#units.update('norm');
  }

  /** Squares of a gradient, and where it is clipped by itself, its norm. */
  #normOf(...of: ['alwaysOn', AlwaysOnName] | ['slot', number]): Segment[] {
    const [kind, key] = of;
    const { clipByBlock } = this.input;
    if (kind === 'slot') return [this.#units.update('slotSquares', key), ...(clipByBlock ? [this.#units.update('slotClip', key)] : [])];
    return [this.#units.update('alwaysOnSquares', key), ...(clipByBlock ? [this.#units.update('alwaysOnClip', key)] : [])];
  }

  /** The update of a layer that does not wait for the others. */
  #updateOf(slot: number, layer: number): Segment[] {
    return [...this.#normOf('slot', slot), this.#slotUpdate(slot, layer)];
  }

  #slotUpdate(slot: number, layer: number): Segment {
    return this.#units.update('slotUpdate', slot, this.buffers.slots[slot].master ? 0 : layer);
  }

  #head(mode: HeadMode): HeadSection {
    const segments = this.#units.pass('head', mode);
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

  /** Parameter slots of the head's chunks that are not built: each has its own, in every mode. */
  #omittedParams(segments: readonly Segment[]): number {
    const omitted = omittedChunks(this.input, this.buffers.chunkRows);
    if (omitted === 0) return 0;
    return omitted * distinctParams(segments.filter(({ name }) => name === headChunk(1)));
  }

  #masterOf(layer: number, training: Assignment): number | null {
    const slot = training.get(layer);
    return slot !== undefined && this.buffers.slots[slot].master ? slot : null;
  }

  #checkTrains(): void {
    if (this.input.abridged) throw new AppError('INTERNAL', 'An abridged plan has no steps and no evaluation.', '');
    if (this.input.purpose !== 'train')
      throw new AppError('INTERNAL', 'A plan that does not train has no steps and no evaluation of the whole model.', '');
  }
}
