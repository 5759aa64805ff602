// A small bench around the executor for kernel tests, benchmarks and the choice of kernels: buffers from arrays, run, read
// back. Validates every dispatch it runs. Its buffers are destroyed when a call ends; pipelines stay with the device.

import type { Gpu } from './device';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { Allocator } from './allocator';
import { Executor } from './executor';
import { PipelineCache } from './pipelines';
import type { Frame } from '../dispatch/frame';
import { frameSpec } from '../dispatch/frame';
import { buildParamTable } from '../dispatch/params';
import { FULL_VIEW, roundUp, type BufferSpec, type Dispatch, type Segment, type View } from '../dispatch/types';
import type { Extents } from '../dispatch/extents';
import type { MemoryClass } from '../dispatch/memory';
import { assertPlan } from '../dispatch/validate';

type Numbers = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

const NO_EXTENTS: Extents = { rows: 0, targets: 0, tokenGroups: 0, positionGroups: 0, pairs: 0 };

export class Lab {
  readonly gpu: Gpu;
  readonly pipelines: PipelineCache;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.pipelines = PipelineCache.of(gpu.device);
  }

  /**
   * Runs the dispatches over fresh buffers and returns the contents of `outputs` as f32, in order.
   * A view's buffer is filled from `data` (by buffer); others start as NaN bits, so that a missing write is noticed.
   */
  async run(
    dispatches: readonly Dispatch[],
    data: ReadonlyMap<BufferSpec, Numbers>,
    outputs: readonly View[],
    frame: Partial<Omit<Frame, 'extents'>> & { extents?: Partial<Extents> } = {},
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const extents = { ...NO_EXTENTS, ...frame.extents };
    const buffers = [...new Set([...dispatches.flatMap((d) => d.views.map((v) => v.buffer)), ...outputs.map((v) => v.buffer)])];
    const segment = { name: 'lab', dispatches };
    this.#check(buffers, segment, extents);
    const allocator = new Allocator(this.gpu.device);
    const params = buildParamTable([segment]);
    const frameBuffer = frameSpec();
    const staging: BufferSpec = {
      name: 'staging',
      bytes: roundUp(Math.max(16, ...outputs.map((v) => v.bytes)), 16),
      memory: 'staging',
      kind: 'readback',
    };
    await allocator.allocate([...buffers, params.spec, frameBuffer, staging]);
    try {
      const executor = new Executor(this.gpu, allocator, params, frameBuffer, this.pipelines);
      for (const buffer of buffers) {
        const contents = data.get(buffer) ?? new Float32Array(buffer.bytes / 4).fill(NaN);
        executor.write(FULL_VIEW(buffer), contents);
      }
      executor.writeFrame({ ...frame, extents });
      await executor.run([segment], extents);
      const results: Float32Array<ArrayBuffer>[] = [];
      for (const view of outputs) results.push(new Float32Array(await executor.read(view, staging)));
      return results;
    } finally {
      allocator.freeAll();
    }
  }

  /** Milliseconds of `repeat` runs of the dispatches over zero-filled buffers, submission and wait included. */
  async time(dispatches: readonly Dispatch[], extents: Partial<Extents>, repeat: number): Promise<number> {
    const full = { ...NO_EXTENTS, ...extents };
    const buffers = [...new Set(dispatches.flatMap((d) => d.views.map((v) => v.buffer)))];
    const segment = { name: 'lab', dispatches };
    this.#check(buffers, segment, full);
    const allocator = new Allocator(this.gpu.device);
    const params = buildParamTable([segment]);
    const frameBuffer = frameSpec();
    await allocator.allocate([...buffers, params.spec, frameBuffer]);
    try {
      const executor = new Executor(this.gpu, allocator, params, frameBuffer, this.pipelines);
      executor.writeFrame({ extents: full });
      await executor.compile(segment);
      await executor.idle();
      const start = performance.now();
      await executor.run(
        Array.from({ length: repeat }, () => segment),
        full,
      );
      await executor.idle();
      return performance.now() - start;
    } finally {
      allocator.freeAll();
    }
  }

  #check(buffers: readonly BufferSpec[], segment: Segment, extents: Extents): void {
    assertPlan(buffers, [segment], extents, {
      ...this.gpu.limits,
      maxStorageBuffersPerShaderStage: DEFAULT_LIMITS.maxStorageBuffersPerShaderStage,
    });
  }
}

/** A buffer for `count` four-byte elements, and the view of all of it. */
export function scratch(name: string, count: number, memory: MemoryClass = 'activations'): View {
  return FULL_VIEW({ name, bytes: roundUp(Math.max(count, 1) * 4, 16), memory, kind: 'storage' });
}
