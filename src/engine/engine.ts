// One model on one device: allocates a run's plan, reads and writes tensors wherever their values lie, and answers
// with a loss or with logits. It knows nothing of data sets, schedules, optimizer steps (train/step.ts) or files.

import type { MicroBatch } from '../data/batch/batch';
import { narrowFinite } from '../base/half';
import { decodeTensor } from '../io/formats/safetensors';
import { piecesOf } from '../io/formats/pieces';
import { Allocator } from '../gpu/allocator';
import type { Gpu } from '../gpu/device';
import { Executor } from '../gpu/executor';
import type { Switch } from '../lisa/controller';
import { ropeFrequencies, ropeLength } from '../model/rope';
import { elementsOf, type ParameterRow, type Storage } from '../model/types';
import type { Block, Trainable } from '../plan/run-buffers';
import type { PlanInput } from '../plan/input';
import { RunPlan, type Assignment } from '../plan/run-plan';
import { tensorBytes, viewsOf, type ShardedBuffer } from '../plan/sharded-buffer';
import { FULL_VIEW, isQuantised, type BufferSpec, type Segment, type View } from '../dispatch/types';
import type { Extents } from '../dispatch/extents';
import { assertPlan } from '../dispatch/validate';
import { ropeTables } from '../shaders/rope/rope.tables';
import { readStats } from '../shaders/loss/stats';
import { AppError } from '../base/errors';
import { writeBatch } from './inputs';
import type { Truth } from './truth';
import { TokenRows, type SharedRows } from './token-rows';

export interface EngineOptions {
  /** Check every dispatch against WebGPU's rules before it is compiled; by default in development and in tests. */
  readonly validate?: boolean;
  /** Full precision of quantised weights; needed where such a layer trains or is read. */
  readonly truth?: (plan: RunPlan) => Promise<Truth>;
  /** Tokens of the training data, rising. Needed if a matrix of the vocabulary trains by rows. */
  readonly tokens?: Uint32Array;
}

export class Engine {
  readonly gpu: Gpu;
  readonly plan: RunPlan;
  readonly allocator: Allocator;
  readonly executor: Executor;
  /** Null if nothing is quantised. */
  readonly truth: Truth | null;
  /** Null if no matrix of the vocabulary trains by rows. */
  readonly tokenRows: TokenRows | null;
  /** Layers whose weights are in the master of a slot; the weights in their blocks are older. */
  #inSlots = new Map<number, number>();

  /** Allocates everything that the run needs. Throws GPU_OOM or LIMIT_TOO_SMALL with nothing left behind. */
  static async create(gpu: Gpu, input: PlanInput, options: EngineOptions = {}): Promise<Engine> {
    const plan = new RunPlan(input);
    assertPlan(plan.allBuffers, plan.builtSegments(), plan.capacity, gpu.limits);
    const truth = plan.buffers.packing && options.truth ? await options.truth(plan) : null;
    const allocator = new Allocator(gpu.device);
    try {
      await allocator.allocate(plan.allBuffers);
    } catch (error) {
      await truth?.close();
      throw error;
    }
    return new Engine(gpu, plan, allocator, truth, options);
  }

  private constructor(gpu: Gpu, plan: RunPlan, allocator: Allocator, truth: Truth | null, options: EngineOptions) {
    this.truth = truth;
    this.gpu = gpu;
    this.plan = plan;
    this.allocator = allocator;
    const inspect = (segment: Segment): void => assertPlan(plan.allBuffers, [segment], plan.capacity, gpu.limits);
    const validate = options.validate ?? import.meta.env.DEV;
    this.executor = new Executor(gpu, allocator, plan.params, plan.buffers.frame, undefined, validate ? inspect : undefined);
    const { rope, localRope, rowTokens } = plan.buffers;
    const { shape, trainedRows } = plan.input;
    const { tokens = new Uint32Array() } = options;
    if (rowTokens && tokens.length !== trainedRows.count)
      throw new AppError('INTERNAL', `${tokens.length} tokens for the ${trainedRows.count} rows that train.`, '');
    this.tokenRows = rowTokens && new TokenRows(tokens, shape.vocab);
    if (rowTokens && this.tokenRows) this.executor.write({ buffer: rowTokens, offset: 0, bytes: tokens.length * 4 }, this.tokenRows.tokens);
    for (const [buffers, angles] of [
      [rope, shape.rope],
      [localRope, shape.window?.rope],
    ] as const) {
      if (!buffers || !angles) continue;
      const tables = ropeTables(ropeFrequencies(angles, shape.headDim), buffers.positions, ropeLength(angles));
      this.executor.write(FULL_VIEW(buffers.cos), tables.cos);
      this.executor.write(FULL_VIEW(buffers.sin), tables.sin);
    }
  }

  close(): void {
    this.allocator.freeAll();
    // A file that cannot be removed is removed by the next run.
    this.truth?.close().catch(() => undefined);
  }

  /** The type in which a tensor lies on the GPU, apart from its master. */
  storedAs(row: ParameterRow): Storage {
    return this.plan.buffers.blocks.get(row.block)!.layout.places.get(row.local)!.stored ?? 'f32';
  }

  /**
   * Uploads elements of a tensor of the model, from `start` on. If it is stored in 16 bits, they are rounded to nearest, which changes
   * nothing if they came in 16 bits.
   */
  async writeTensor(row: ParameterRow, data: Float32Array<ArrayBuffer>, start = 0): Promise<void> {
    const { weights, layout } = this.#valuesOf(row);
    const { stored } = layout.places.get(row.local)!;
    if (isQuantised(stored)) await this.#writeQuantised(row, data, start);
    else this.#write(tensorBytes(weights, layout, row.local, start, start + data.length), stored ? narrowFinite(data, stored) : data);
    const part = this.#rowsThatTrain(row, start, start + data.length);
    if (!part) return;
    const held = new Float32Array(part.length);
    for (const { from, to, length } of part.runs) held.set(data.subarray(to, to + length), from);
    this.#write(part.views, held);
  }

  /** The GPU turns the values into codes, in a buffer of its own, since a binding cannot begin anywhere in a tensor. */
  async #writeQuantised(row: ParameterRow, data: Float32Array<ArrayBuffer>, start: number): Promise<void> {
    const { weights, layout } = this.plan.buffers.blocks.get(row.block)!;
    const { values, codes, elements } = this.plan.buffers.packing!;
    for (let at = 0; at < data.length; at += elements) {
      const piece = data.subarray(at, at + elements);
      this.executor.write({ buffer: values, offset: 0, bytes: piece.byteLength }, piece);
      await this.executor.run([this.plan.pack()], this.plan.capacity);
      let from = 0;
      for (const view of tensorBytes(weights, layout, row.local, start + at, start + at + piece.length)) {
        this.executor.copy({ ...codes, offset: from }, view);
        from += view.bytes;
      }
    }
  }

  /**
   * Elements [start, end) of a tensor of the model, by default all: those of its master while its layer trains on one; their full precision
   * if they are quantised; otherwise exactly the stored ones. Rows that train by themselves are those of their masters.
   */
  async readTensor(row: ParameterRow, start = 0, end = elementsOf(row)): Promise<Float32Array<ArrayBuffer>> {
    const values = await this.#readWithoutRows(row, start, end);
    const part = this.#rowsThatTrain(row, start, end);
    const held = part && (await this.#read(part.views));
    if (held) for (const { from, to, length } of part.runs) values.set(held.subarray(from, from + length), to);
    return values;
  }

  async #readWithoutRows(row: ParameterRow, start: number, end: number): Promise<Float32Array<ArrayBuffer>> {
    const { weights, layout } = this.#valuesOf(row);
    const { stored } = layout.places.get(row.local)!;
    if (isQuantised(stored)) return this.#truth().tensor(row, start, end);
    const words = await this.#read(tensorBytes(weights, layout, row.local, start, end));
    return decodeTensor(new Uint8Array(words.buffer), stored ?? 'f32');
  }

  /** The bytes of elements [start, end) of a tensor as its block stores them. */
  async readStored(row: ParameterRow, start: number, end: number): Promise<Float32Array<ArrayBuffer>> {
    const { weights, layout } = this.plan.buffers.blocks.get(row.block)!;
    return this.#read(tensorBytes(weights, layout, row.local, start, end));
  }

  /**
   * Rounds these values of a tensor to 16 bits as leaving training rounds them, if it is stored so. This is done on the host; the GPU must
   * arrive at the same bits.
   */
  roundedAsStored(row: ParameterRow, data: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const stored = this.storedAs(row);
    return stored === 'f16' || stored === 'bf16' ? decodeTensor(new Uint8Array(narrowFinite(data, stored).buffer), stored) : data;
  }

  /** A layer's weights in f32, in the layout of its trainable. */
  async readLayer(layer: number): Promise<Uint8Array<ArrayBuffer>> {
    const { blocks, slots } = this.plan.buffers;
    const { weights, rows } = blocks.get(`layer.${layer}`)!;
    const slot = this.#inSlots.get(layer);
    if (slot !== undefined) return this.readSharded(slots[slot].master!);
    if (!this.plan.mastered) return this.readSharded(weights);
    const { layout } = slots[0];
    const bytes = new Uint8Array(layout.bytes);
    for (const row of rows) bytes.set(new Uint8Array((await this.readTensor(row)).buffer), layout.places.get(row.local)!.offset);
    return bytes;
  }

  writeAdapter(layer: number, local: string, data: Float32Array<ArrayBuffer>): void {
    const { weights, layout } = this.plan.buffers.adapters[layer];
    this.#write(tensorBytes(weights, layout, local), data);
  }

  async readAdapter(layer: number, local: string): Promise<Float32Array<ArrayBuffer>> {
    const { weights, layout } = this.plan.buffers.adapters[layer];
    return this.#read(tensorBytes(weights, layout, local));
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
  async readSharded(sharded: ShardedBuffer): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array((await this.#read(viewsOf(sharded, 0, sharded.bytes))).buffer);
  }

  writeSharded(sharded: ShardedBuffer, bytes: Uint8Array<ArrayBuffer>): void {
    this.#write(viewsOf(sharded, 0, sharded.bytes), bytes);
  }

  /** Sum of the losses of all targets of a micro-batch; nothing is trained. */
  async evaluate(batch: MicroBatch): Promise<number> {
    writeBatch(this, batch);
    this.executor.writeFrame({ extents: batch.extents, lossScale: 1 });
    await this.executor.run(this.plan.evaluation(batch.extents, this.#inSlots), batch.extents);
    return this.readLoss();
  }

  /** The loss of the pass before, summed over its targets. Throws NONFINITE_LOSS if it is not finite. */
  async readLoss(): Promise<number> {
    const view = FULL_VIEW(this.plan.buffers.stats);
    const stats = readStats(new Float32Array(await this.executor.read(view, this.plan.buffers.staging)));
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
    writeBatch(this, { tokens: Uint32Array.from(tokens), targetRows: Uint32Array.of(tokens.length - 1) });
    this.executor.writeFrame({ extents, past });
    await this.executor.run(plan.generation(this.#inSlots), extents);
    const view: View = { buffer: plan.buffers.logits, offset: 0, bytes: plan.input.shape.vocab * 4 };
    return new Float32Array(await this.executor.read(view, plan.buffers.staging));
  }

  /** Tells the engine which layers have their weights in slots, after a checkpoint was loaded. */
  adopt(assignment: Assignment): void {
    if (this.plan.mastered) this.#inSlots = new Map(assignment);
  }

  /** Layers that train on f32 masters now. */
  get layersInMasters(): readonly number[] {
    return [...this.#inSlots.keys()].sort((a, b) => a - b);
  }

  /** Rounds the masters and stores them as the weights of their layers; of rows that train, rounds the masters. Nothing trains after it. */
  async roundBack(): Promise<void> {
    const leave = [...this.#inSlots].map(([layer, slot]) => [slot, layer] as const);
    await this.moveWeights({ leave, join: [] });
    for (const { row, views } of this.#packedRows()) this.#write(views, this.roundedAsStored(row, await this.#read(views)));
  }

  /**
   * True if something that trains has masters that are more exact than what its block stores, and that are exported as the block stores them.
   * Over a quantised base full precision is exported, so masters stay, and the model that answers keeps its last layers in full precision.
   */
  get roundsBack(): boolean {
    if (this.plan.buffers.packing) return false;
    return this.#inSlots.size > 0 || this.#packedRows().length > 0;
  }

  /** Matrices of the vocabulary that are stored packed and of which rows train: the masters of those rows. */
  #packedRows(): { row: ParameterRow; views: View[] }[] {
    const { alwaysOn, blocks } = this.plan.buffers;
    return [...alwaysOn].flatMap(([name, { master, layout }]) => {
      const row = master && blocks.get(name)!.rows.find(({ role }) => role === name);
      return row && this.storedAs(row) !== 'f32' ? [{ row, views: tensorBytes(master, layout, row.local) }] : [];
    });
  }

  /**
   * If weights are packed: moves the weights of layers that leave from their slots' masters to their blocks, and those of layers that join
   * to masters: from their blocks, or from their full precision if the blocks hold them quantised. `onLeft` is called for every layer
   * whose block has its weights again.
   */
  async moveWeights(
    { leave, join }: Pick<Switch, 'leave' | 'join'>,
    onLeft: (layer: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const { plan, executor } = this;
    if (!plan.mastered || leave.length + join.length === 0) return;
    const quantised = plan.buffers.packing !== null;
    // A master is read before the next layer takes it.
    await executor.run(
      leave.map(([slot, layer]) => plan.leave(layer, slot)),
      plan.capacity,
    );
    for (const [slot, layer] of leave) {
      const { master } = plan.buffers.slots[slot];
      if (quantised) await this.#truth().write(layer, (start, end) => this.#readBytes(viewsOf(master!, start, end - start)));
      this.#inSlots.delete(layer);
      await onLeft(layer);
    }
    if (quantised) for (const [slot, layer] of join) await this.#joinFromTruth(slot, layer);
    else
      await executor.run(
        join.map(([slot, layer]) => plan.join(layer, slot)),
        plan.capacity,
      );
    for (const [slot, layer] of join) this.#inSlots.set(layer, slot);
  }

  async #joinFromTruth(slot: number, layer: number): Promise<void> {
    const { blocks, slots } = this.plan.buffers;
    const { master, layout } = slots[slot];
    const truth = this.#truth();
    if (truth.has(layer)) {
      for await (const { start, bytes } of truth.pieces(layer)) this.#write(viewsOf(master!, start, bytes.byteLength), bytes);
      return;
    }
    for (const row of blocks.get(`layer.${layer}`)!.rows) {
      for (const [start, end] of piecesOf(elementsOf(row)))
        this.#write(tensorBytes(master!, layout, row.local, start, end), await truth.tensor(row, start, end));
    }
  }

  #truth(): Truth {
    if (this.truth) return this.truth;
    throw new AppError('INTERNAL', 'The full precision of quantised weights is not known.', '');
  }

  /** Where the current values of a tensor are. */
  #valuesOf(row: ParameterRow): Pick<Block, 'weights' | 'layout'> {
    const { blocks, slots } = this.plan.buffers;
    const slot = row.layer === null ? undefined : this.#inSlots.get(row.layer);
    return slot === undefined ? blocks.get(row.block)! : { weights: slots[slot].master!, layout: slots[slot].layout };
  }

  /** Elements [start, end) of a matrix of the vocabulary, as far as they train in rows of their own: those, and where they are. */
  #rowsThatTrain({ block, role, local, shape }: ParameterRow, start: number, end: number): (SharedRows & { views: View[] }) | null {
    const trained = role === block ? this.plan.buffers.alwaysOn.get(role) : undefined;
    const shared = trained?.master ? this.tokenRows!.shared(start, end, shape[1]) : null;
    if (!trained?.master || !shared) return null;
    return { ...shared, views: tensorBytes(trained.master, trained.layout, local, shared.start, shared.start + shared.length) };
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

  async #readBytes(views: readonly View[]): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array((await this.#read(views)).buffer);
  }

  #write(views: readonly View[], data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): void {
    let at = data.byteOffset;
    for (const view of views) {
      this.executor.write(view, new Uint8Array(data.buffer, at, view.bytes));
      at += view.bytes;
    }
  }
}
