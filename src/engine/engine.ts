// One model on one device: allocates a run's plan, moves weights and micro-batches, and runs steps,
// evaluations and generation. It knows nothing of data sets, schedules or files.

import type { MicroBatch } from '../data/batch/batch';
import { narrowFinite } from '../base/half';
import { decodeTensor } from '../io/formats/safetensors';
import { Allocator } from '../gpu/allocator';
import type { Gpu } from '../gpu/device';
import { Executor } from '../gpu/executor';
import type { Switch } from '../lisa/controller';
import { ropeFrequencies } from '../model/rope';
import { elementsOf, type Dtype, type ParameterRow } from '../model/types';
import type { Block, InputName, Trainable } from '../plan/run-buffers';
import type { PlanInput } from '../plan/input';
import { RunPlan, type Assignment } from '../plan/run-plan';
import { microSegments, type StepPlan } from '../plan/step-plan';
import { tensorBytes, viewsOf, type Store } from '../plan/store';
import { FULL_VIEW, type BufferSpec, type Segment, type View } from '../dispatch/types';
import type { Extents } from '../dispatch/extents';
import { assertPlan } from '../dispatch/validate';
import { ropeTables } from '../shaders/rope/rope.tables';
import { readStats, type StepStats } from '../shaders/loss/stats';
import { AppError } from '../base/errors';

/** AdamW's numbers of one step for one row of the scalars buffer (see adamwScalars). */
export type ScalarRow = readonly [number, number, number, number];

export interface EngineOptions {
  /** Check every dispatch against WebGPU's rules before it is compiled; by default in development and in tests. */
  readonly validate?: boolean;
}

export class Engine {
  readonly gpu: Gpu;
  readonly plan: RunPlan;
  readonly allocator: Allocator;
  readonly executor: Executor;
  readonly #inputs: Uint32Array<ArrayBuffer>;
  readonly #validate: boolean;
  readonly #validated = new WeakSet<Segment>();
  #statsTurn = 0;
  /** Layers whose weights are in the master of a slot: what their blocks store is older. */
  #inSlots = new Map<number, number>();

  /** Allocates everything that the run needs. Throws GPU_OOM or LIMIT_TOO_SMALL with nothing left behind. */
  static async create(gpu: Gpu, input: PlanInput, options: EngineOptions = {}): Promise<Engine> {
    const plan = new RunPlan(input);
    assertPlan(plan.allBuffers, plan.builtSegments(), plan.capacity, gpu.limits);
    const allocator = new Allocator(gpu.device);
    await allocator.allocate(plan.allBuffers);
    return new Engine(gpu, plan, allocator, options);
  }

  private constructor(gpu: Gpu, plan: RunPlan, allocator: Allocator, options: EngineOptions) {
    this.gpu = gpu;
    this.plan = plan;
    this.allocator = allocator;
    this.executor = new Executor(gpu, allocator, plan.params, plan.buffers.frame);
    this.#inputs = new Uint32Array(plan.buffers.inputs.bytes / 4);
    this.#validate = options.validate ?? import.meta.env.DEV;
    const { rope } = plan.buffers;
    const { shape } = plan.input;
    if (rope && shape.rope) {
      const tables = ropeTables(ropeFrequencies(shape.rope, shape.headDim), rope.positions);
      this.executor.write(FULL_VIEW(rope.cos), tables.cos);
      this.executor.write(FULL_VIEW(rope.sin), tables.sin);
    }
  }

  close(): void {
    this.allocator.freeAll();
  }

  /** The type in which a tensor lies on the GPU, apart from its master. */
  storedAs(row: ParameterRow): Dtype {
    return this.plan.buffers.blocks.get(row.block)!.layout.places.get(row.local)!.stored ?? 'f32';
  }

  /** Uploads elements of a tensor of the model, from `start` on. Where it is stored in 16 bits they are rounded to nearest: not at all if they came so. */
  writeTensor(row: ParameterRow, data: Float32Array<ArrayBuffer>, start = 0): void {
    const { store, layout } = this.#truthOf(row);
    const { stored } = layout.places.get(row.local)!;
    this.#write(tensorBytes(store, layout, row.local, start, start + data.length), stored ? narrowFinite(data, stored) : data);
  }

  /** Reads elements [start, end) of a tensor of the model back, by default all: of its master while its layer trains on one, else what is stored, exactly. */
  async readTensor(row: ParameterRow, start = 0, end = elementsOf(row)): Promise<Float32Array<ArrayBuffer>> {
    const { store, layout } = this.#truthOf(row);
    const words = await this.#read(tensorBytes(store, layout, row.local, start, end));
    return decodeTensor(new Uint8Array(words.buffer), layout.places.get(row.local)!.stored ?? 'f32');
  }

  /** These values of a tensor as they are once its layer has left training. The host's rounding: the GPU's must come to the same bits. */
  roundedAsStored(row: ParameterRow, data: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const stored = this.storedAs(row);
    return stored === 'f32' ? data : decodeTensor(new Uint8Array(narrowFinite(data, stored).buffer), stored);
  }

  /** A layer's weights in f32, in the layout of what trains. */
  async readLayer(layer: number): Promise<Uint8Array<ArrayBuffer>> {
    const { blocks, slots } = this.plan.buffers;
    const { store, rows } = blocks.get(`layer.${layer}`)!;
    const slot = this.#inSlots.get(layer);
    if (slot !== undefined) return this.readStore(slots[slot].master!);
    if (!this.plan.mastered) return this.readStore(store);
    const { layout } = slots[0];
    const bytes = new Uint8Array(layout.bytes);
    for (const row of rows) bytes.set(new Uint8Array((await this.readTensor(row)).buffer), layout.places.get(row.local)!.offset);
    return bytes;
  }

  writeAdapter(layer: number, local: string, data: Float32Array<ArrayBuffer>): void {
    const { store, layout } = this.plan.buffers.adapters[layer];
    this.#write(tensorBytes(store, layout, local), data);
  }

  async readAdapter(layer: number, local: string): Promise<Float32Array<ArrayBuffer>> {
    const { store, layout } = this.plan.buffers.adapters[layer];
    return this.#read(tensorBytes(store, layout, local));
  }

  /** Gradient of a tensor of a trainable, for tests. */
  async readGradient(of: Trainable, local: string): Promise<Float32Array<ArrayBuffer>> {
    return this.#read(tensorBytes(of.gradient, of.layout, local));
  }

  /** Bytes [start, end) of a buffer; by default all. */
  async readWhole(spec: BufferSpec, start = 0, end = spec.bytes): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.executor.read({ buffer: spec, offset: start, bytes: end - start }, this.plan.buffers.staging));
  }

  /** Overwrites a buffer, or its bytes from `start` on. */
  writeWhole(spec: BufferSpec, bytes: Uint8Array<ArrayBuffer>, start = 0): void {
    this.executor.write({ buffer: spec, offset: start, bytes: bytes.byteLength }, bytes);
  }

  /** All buffers of a block, gradient or state, one after the other. */
  async readStore(store: Store): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array((await this.#read(viewsOf(store, 0, store.bytes))).buffer);
  }

  writeStore(store: Store, bytes: Uint8Array<ArrayBuffer>): void {
    this.#write(viewsOf(store, 0, store.bytes), bytes);
  }

  /**
   * Forward, backward and update over the micro-batches of one optimizer step. `scalars` is one row per
   * trainable, in the order of the scalars buffer. Resolves when all is submitted.
   */
  async submitStep(plan: StepPlan, microBatches: readonly MicroBatch[], targets: number, scalars: readonly ScalarRow[]): Promise<void> {
    this.executor.write(FULL_VIEW(this.plan.buffers.scalars), Float32Array.from(scalars.flat()));
    for (const [index, batch] of microBatches.entries()) {
      this.#writeBatch(batch);
      this.executor.writeFrame({ extents: batch.extents, accumulate: index > 0, lossScale: 1 / targets });
      const last = index === microBatches.length - 1;
      const pass = microSegments(plan, batch.extents);
      await this.#run(last ? [...pass, ...plan.norm, ...plan.update] : pass, batch.extents);
    }
  }

  /** Figures of the last submitted step. Two of these may be under way at once. */
  async stepStats(): Promise<StepStats> {
    const staging = this.plan.buffers.statsStaging[this.#statsTurn];
    this.#statsTurn = 1 - this.#statsTurn;
    return readStats(new Float32Array(await this.executor.read(FULL_VIEW(this.plan.buffers.stats), staging)));
  }

  /** Sum of the losses of all targets of a micro-batch; nothing is trained. */
  async evaluate(batch: MicroBatch): Promise<number> {
    const saved = FULL_VIEW(this.plan.buffers.stats);
    this.#writeBatch(batch);
    this.executor.writeFrame({ extents: batch.extents, lossScale: 1 });
    await this.#run(this.plan.evaluation(batch.extents, this.#inSlots), batch.extents);
    const stats = readStats(new Float32Array(await this.executor.read(saved, this.plan.buffers.staging)));
    if (!Number.isFinite(stats.loss))
      throw new AppError(
        'NONFINITE_LOSS',
        'The loss on the evaluation set is not a finite number.',
        'Lower the learning rate; the last checkpoint is safe.',
      );
    return stats.loss;
  }

  /** Logits after `tokens`, which follow `past` tokens that are in the K/V cache already. */
  async logits(tokens: readonly number[], past: number): Promise<Float32Array<ArrayBuffer>> {
    const { plan } = this;
    const extents: Extents = {
      rows: tokens.length,
      targets: 1,
      tokenGroups: 0,
      positionGroups: 0,
      pairs: tokens.length * (past + tokens.length),
    };
    this.#inputs.fill(0);
    this.#put('tokens', Uint32Array.from(tokens));
    this.#put('targetRows', Uint32Array.of(tokens.length - 1));
    this.executor.write(FULL_VIEW(plan.buffers.inputs), this.#inputs);
    this.executor.writeFrame({ extents, past });
    await this.#run(plan.generation(this.#inSlots), extents);
    const view: View = { buffer: plan.buffers.logits, offset: 0, bytes: plan.input.shape.vocab * 4 };
    return new Float32Array(await this.executor.read(view, plan.buffers.staging));
  }

  /** Carries out a switch of layers; `host` keeps parked state by layer. */
  async switchLayers(change: Switch, host: Map<number, { m: Uint8Array<ArrayBuffer>; v: Uint8Array<ArrayBuffer> }>): Promise<void> {
    const { slots } = this.plan.buffers;
    for (const [slot, layer] of change.park)
      host.set(layer, { m: await this.readStore(slots[slot].m), v: await this.readStore(slots[slot].v) });
    await this.#moveWeights(change);
    if (change.clear.length)
      await this.#run(
        change.clear.map((slot) => this.plan.reset(slot)),
        this.plan.capacity,
      );
    for (const [slot, layer] of change.restore) {
      const state = host.get(layer);
      if (!state) throw new AppError('INTERNAL', `The parked state of layer ${layer} is not there.`, '');
      this.writeStore(slots[slot].m, state.m);
      this.writeStore(slots[slot].v, state.v);
      host.delete(layer);
    }
  }

  /** Says which layers have their weights in slots, where they came with a checkpoint. */
  adopt(assignment: Assignment): void {
    if (this.plan.mastered) this.#inSlots = new Map(assignment);
  }

  /** Layers that train on f32 masters now. */
  get layersInMasters(): readonly number[] {
    return [...this.#inSlots.keys()].sort((a, b) => a - b);
  }

  /** Stores what masters hold as the weights of their layers, rounded; nothing trains after it. */
  async roundBack(): Promise<void> {
    const leave = [...this.#inSlots].map(([layer, slot]) => [slot, layer] as const);
    await this.#moveWeights({ leave, join: [] });
  }

  async #moveWeights({ leave, join }: Pick<Switch, 'leave' | 'join'>): Promise<void> {
    const { plan } = this;
    if (!plan.mastered || leave.length + join.length === 0) return;
    // A master is read before the next layer takes it.
    const segments = [...leave.map(([slot, layer]) => plan.leave(layer, slot)), ...join.map(([slot, layer]) => plan.join(layer, slot))];
    await this.#run(segments, plan.capacity);
    for (const [, layer] of leave) this.#inSlots.delete(layer);
    for (const [slot, layer] of join) this.#inSlots.set(layer, slot);
  }

  async #run(segments: readonly Segment[], extents: Extents): Promise<void> {
    if (this.#validate) {
      const fresh = segments.filter((segment) => !this.#validated.has(segment));
      assertPlan(this.plan.allBuffers, fresh, this.plan.capacity, this.gpu.limits);
      fresh.forEach((segment) => this.#validated.add(segment));
    }
    await this.executor.run(segments, extents);
  }

  /** Where the current values of a tensor are. */
  #truthOf(row: ParameterRow): Pick<Block, 'store' | 'layout'> {
    const { blocks, slots } = this.plan.buffers;
    const slot = row.layer === null ? undefined : this.#inSlots.get(row.layer);
    return slot === undefined ? blocks.get(row.block)! : { store: slots[slot].master!, layout: slots[slot].layout };
  }

  /** Views one after the other, as one array. */
  async #read(views: readonly View[]): Promise<Float32Array<ArrayBuffer>> {
    const { staging } = this.plan.buffers;
    if (views.length === 1) return new Float32Array(await this.executor.read(views[0], staging));
    const all = new Float32Array(views.reduce((sum, { bytes }) => sum + bytes / 4, 0));
    let at = 0;
    for (const view of views) {
      all.set(new Float32Array(await this.executor.read(view, staging)), at);
      at += view.bytes / 4;
    }
    return all;
  }

  #write(views: readonly View[], data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): void {
    let at = data.byteOffset;
    for (const view of views) {
      this.executor.write(view, new Uint8Array(data.buffer, at, view.bytes));
      at += view.bytes;
    }
  }

  #put(name: InputName, values: Uint32Array): void {
    const view = this.plan.buffers.inputViews.get(name);
    if (view) this.#inputs.set(values, view.offset / 4);
  }

  #writeBatch(batch: MicroBatch): void {
    if (batch.rows > this.plan.capacity.rows) {
      throw new AppError('INTERNAL', `A micro-batch of ${batch.rows} tokens for a plan of ${this.plan.capacity.rows}.`, '');
    }
    for (const name of this.plan.buffers.inputViews.keys()) this.#put(name, batch[name]);
    this.executor.write(FULL_VIEW(this.plan.buffers.inputs), this.#inputs);
  }
}
