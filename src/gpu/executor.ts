// Runs segments of a plan on the device: compiles each once, encodes one compute pass per command buffer,
// cuts command buffers at about 50 ms of work and keeps few in flight (pacing.ts), so that neither the page's
// compositor nor the browser's GPU watchdog has to wait for us.

import type { AppError } from '../base/errors';
import { packFrame, type Frame } from '../dispatch/frame';
import type { ParamTable } from '../dispatch/params';
import type { BufferSpec, Dispatch, Segment, View } from '../dispatch/types';
import { amount, gridSize, type Extents } from '../dispatch/extents';
import type { Allocator } from './allocator';
import type { Gpu } from './device';
import { Pacing, TARGET_MS, type Load } from './pacing';
import { PipelineCache } from './pipelines';

interface CompiledDispatch {
  readonly dispatch: Dispatch;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
}

/** A dispatch with its grid and work for certain extents. */
interface Sized extends CompiledDispatch, Load {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

interface Encoded {
  readonly commands: GPUCommandBuffer;
  readonly load: Load;
  readonly dispatches: number;
}

/** How long after a refused call the loss of the device may be reported. */
const LOSS_DELAY_MS = 200;

export class Executor {
  readonly gpu: Gpu;
  readonly allocator: Allocator;
  readonly pipelines: PipelineCache;
  readonly #params: ParamTable;
  readonly #frame: BufferSpec;
  readonly #inspect: (segment: Segment) => void;
  readonly #compiled = new WeakMap<Segment, Promise<CompiledDispatch[]>>();
  /** The dispatches that have work, for the extents that a segment ran with last. */
  readonly #sized = new WeakMap<readonly CompiledDispatch[], { extents: Extents; list: readonly Sized[] }>();
  readonly #flight: { done: Promise<void> }[] = [];
  readonly #pacing = new Pacing();

  /** The buffers of params and frame must be allocated already. `inspect` sees each segment once, before it is compiled; what it throws ends the call. */
  constructor(
    gpu: Gpu,
    allocator: Allocator,
    params: ParamTable,
    frame: BufferSpec,
    pipelines = PipelineCache.of(gpu.device),
    inspect: (segment: Segment) => void = () => undefined,
  ) {
    this.gpu = gpu;
    this.allocator = allocator;
    this.pipelines = pipelines;
    this.#params = params;
    this.#frame = frame;
    this.#inspect = inspect;
    gpu.device.queue.writeBuffer(allocator.buffer(params.spec), 0, params.data);
  }

  /** Uploads bytes. offset and length in bytes, multiples of 4. */
  write(view: View, data: ArrayBufferView<ArrayBuffer>): void {
    this.gpu.device.queue.writeBuffer(this.allocator.buffer(view.buffer), view.offset, data.buffer, data.byteOffset, data.byteLength);
  }

  /** Copies bytes between two buffers, after all work submitted before. Offsets and bytes are multiples of 4. */
  copy(from: View, to: View): void {
    const encoder = this.gpu.device.createCommandEncoder();
    const [source, target] = [this.allocator.buffer(from.buffer), this.allocator.buffer(to.buffer)];
    encoder.copyBufferToBuffer(source, from.offset, target, to.offset, to.bytes);
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  writeFrame(frame: Frame): void {
    this.gpu.device.queue.writeBuffer(this.allocator.buffer(this.#frame), 0, packFrame(frame));
  }

  compile(segment: Segment): Promise<CompiledDispatch[]> {
    let pending = this.#compiled.get(segment);
    if (!pending) {
      this.#inspect(segment);
      pending = Promise.all(segment.dispatches.map((d) => this.#compileDispatch(d)));
      this.#compiled.set(segment, pending);
    }
    return pending;
  }

  /** Encodes and submits the segments in order. Resolves when all is submitted, not when it is done. */
  async run(segments: readonly Segment[], extents: Extents): Promise<void> {
    const compiled = await this.#compileAll(segments);
    for (const { commands, load, dispatches } of this.#encoded(compiled, extents)) await this.#submit(commands, load, dispatches);
  }

  /** Encodes all of it into one command buffer, as on a fast card, and throws it away. Returns how many dispatches it has. */
  async encode(segments: readonly Segment[], extents: Extents): Promise<number> {
    let count = 0;
    for (const { dispatches } of this.#encoded(await this.#compileAll(segments), extents, Infinity)) count += dispatches;
    return count;
  }

  #compileAll(segments: readonly Segment[]): Promise<CompiledDispatch[][]> {
    return Promise.all(segments.map((s) => this.compile(s)));
  }

  /** Command buffers of at most `targetMs`, unless one dispatch takes longer. */
  *#encoded(compiled: readonly (readonly CompiledDispatch[])[], extents: Extents, targetMs = TARGET_MS): Generator<Encoded> {
    let encoder: GPUCommandEncoder | undefined;
    let pass: GPUComputePassEncoder | undefined;
    let bound: GPUComputePipeline | undefined;
    let [flops, bytes, dispatches] = [0, 0, 0];
    const finish = (): Encoded => {
      pass!.end();
      const made = { commands: encoder!.finish(), load: { flops, bytes }, dispatches };
      encoder = pass = bound = undefined;
      flops = bytes = dispatches = 0;
      return made;
    };
    for (const list of compiled) {
      for (const one of this.#sizedFor(list, extents)) {
        if (dispatches > 0 && this.#pacing.predict({ flops: flops + one.flops, bytes: bytes + one.bytes }, dispatches + 1) > targetMs)
          yield finish();
        if (!pass) {
          encoder = this.gpu.device.createCommandEncoder();
          pass = encoder.beginComputePass();
        }
        if (bound !== one.pipeline) pass.setPipeline((bound = one.pipeline));
        pass.setBindGroup(0, one.bindGroup);
        pass.dispatchWorkgroups(one.x, one.y, one.z);
        flops += one.flops;
        bytes += one.bytes;
        dispatches++;
      }
    }
    if (pass) yield finish();
  }

  /** Grids and work are linear forms, so a segment that runs again with the same extents need not compute them. */
  #sizedFor(list: readonly CompiledDispatch[], extents: Extents): readonly Sized[] {
    const known = this.#sized.get(list);
    if (known && sameExtents(known.extents, extents)) return known.list;
    const sized = list
      .map((compiled): Sized => {
        const { grid, work } = compiled.dispatch;
        const [x, y, z] = grid.map((dim) => gridSize(dim, extents));
        return { ...compiled, x, y, z, flops: amount(work.flops, extents), bytes: amount(work.bytes, extents) };
      })
      .filter(({ x, y, z }) => x > 0 && y > 0 && z > 0);
    this.#sized.set(list, { extents, list: sized });
    return sized;
  }

  /** Waits until the GPU has finished everything submitted so far. Throws what went wrong meanwhile. */
  async idle(): Promise<void> {
    await this.gpu.device.queue.onSubmittedWorkDone();
    this.#flight.length = 0;
    this.check();
  }

  /** Throws the device's first uncaught error, if there was one. */
  check(): void {
    const fault: AppError | undefined = this.gpu.fault();
    if (fault) throw fault;
  }

  /**
   * Copies a view to a readback buffer and maps it. The readback buffer must be free; the result is a copy.
   * Resolves after all work submitted before it.
   */
  async read(view: View, staging: BufferSpec): Promise<ArrayBuffer> {
    const source = this.allocator.buffer(view.buffer);
    const target = this.allocator.buffer(staging);
    const result = new Uint8Array(view.bytes);
    for (let at = 0; at < view.bytes; at += staging.bytes) {
      const size = Math.min(staging.bytes, view.bytes - at);
      const encoder = this.gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, view.offset + at, target, 0, size);
      this.gpu.device.queue.submit([encoder.finish()]);
      try {
        // Not in a race with gpu.lost, because every reaction to a promise that never settles would be kept forever.
        await target.mapAsync(GPUMapMode.READ, 0, size);
        result.set(new Uint8Array(target.getMappedRange(0, size)), at);
      } catch (cause) {
        throw await this.#refusal(cause);
      }
      target.unmap();
    }
    this.check();
    return result.buffer;
  }

  /** Why the device refused. The loss of a device is reported a little after the calls that it ends. */
  #refusal(cause: unknown): Promise<unknown> {
    const late = new Promise<unknown>((resolve) => setTimeout(() => resolve(this.gpu.fault() ?? cause), LOSS_DELAY_MS));
    return Promise.race([this.gpu.lost, late]);
  }

  async #compileDispatch(dispatch: Dispatch): Promise<CompiledDispatch> {
    const pipeline = await this.pipelines.get(dispatch.kernel);
    const bindGroup = this.gpu.device.createBindGroup({
      label: dispatch.label,
      layout: this.pipelines.layout(dispatch.kernel),
      entries: [
        {
          binding: 0,
          resource: {
            buffer: this.allocator.buffer(this.#params.spec),
            offset: this.#params.offset(dispatch),
            size: dispatch.params.byteLength,
          },
        },
        { binding: 1, resource: { buffer: this.allocator.buffer(this.#frame) } },
        ...dispatch.kernel.bindings.map((b, at) => {
          const view = dispatch.views[at];
          return { binding: b.binding, resource: { buffer: this.allocator.buffer(view.buffer), offset: view.offset, size: view.bytes } };
        }),
      ],
    });
    return { dispatch, pipeline, bindGroup };
  }

  async #submit(commands: GPUCommandBuffer, load: Load, dispatches: number): Promise<void> {
    while (this.#flight.length >= this.#pacing.depth) await this.#flight[0].done;
    this.#pacing.settle();
    const underWay = this.#pacing.submitted(load, dispatches, performance.now());
    this.gpu.device.queue.submit([commands]);
    const entry = {
      done: this.gpu.device.queue.onSubmittedWorkDone().then(() => {
        this.#pacing.ended(underWay, performance.now());
        const at = this.#flight.indexOf(entry);
        if (at >= 0) this.#flight.splice(at, 1);
      }),
    };
    this.#flight.push(entry);
  }
}

const sameExtents = (a: Extents, b: Extents): boolean =>
  a.rows === b.rows &&
  a.targets === b.targets &&
  a.tokenGroups === b.tokenGroups &&
  a.positionGroups === b.positionGroups &&
  a.pairs === b.pairs;
