// Time on the device of every dispatch of a list of segments. With timestamp queries each dispatch is a pass of
// its own between two timestamps; without them it is a submission of its own, timed by the host.

import { roundUp, type BufferSpec, type Dispatch, type Segment } from '../dispatch/types';
import { amount, gridSize, type Extents } from '../dispatch/extents';
import { AppError } from '../base/errors';
import type { Executor } from './executor';

export interface DispatchTime {
  readonly dispatch: Dispatch;
  readonly flops: number;
  readonly bytes: number;
  readonly ms: number;
}

/** Where the times come from. */
export type Clock = 'timestamps' | 'host';

/** Dispatches in one submission: few enough for every watchdog, enough to hide the cost of submitting. */
const BATCH = 32;

interface Queries {
  readonly set: GPUQuerySet;
  readonly resolved: BufferSpec;
  readonly staging: BufferSpec;
}

export class Profiler {
  readonly clock: Clock;
  readonly #executor: Executor;
  readonly #queries: Queries | null;
  /** Milliseconds from an empty submission to its end; subtracted from the host's times. */
  #empty = 0;

  /** Uses timestamps if the device was opened with them. Its two small buffers are in the executor's ledger until close(). */
  static async create(executor: Executor, clock?: Clock): Promise<Profiler> {
    const able = executor.gpu.features.has('timestamp-query');
    if (clock === 'timestamps' && !able)
      throw new AppError('LIMIT_TOO_SMALL', 'This device has no timestamp queries.', "Use the host's clock.");
    if (clock === 'host' || !able) {
      const profiler = new Profiler(executor, 'host', null);
      await profiler.#measureEmpty();
      return profiler;
    }
    const bytes = roundUp(BATCH * 16, 256);
    const resolved: BufferSpec = { name: 'profiler.resolved', bytes, memory: 'staging', kind: 'query' };
    const staging: BufferSpec = { name: 'profiler.staging', bytes, memory: 'staging', kind: 'readback' };
    await executor.allocator.allocate([resolved, staging]);
    const set = executor.gpu.device.createQuerySet({ label: 'profiler', type: 'timestamp', count: BATCH * 2 });
    return new Profiler(executor, 'timestamps', { set, resolved, staging });
  }

  private constructor(executor: Executor, clock: Clock, queries: Queries | null) {
    this.#executor = executor;
    this.clock = clock;
    this.#queries = queries;
  }

  close(): void {
    if (!this.#queries) return;
    this.#queries.set.destroy();
    this.#executor.allocator.free([this.#queries.resolved, this.#queries.staging]);
  }

  /** Runs the segments in order and resolves with one entry per dispatch that had work. The frame and inputs must be written. */
  async run(segments: readonly Segment[], extents: Extents): Promise<DispatchTime[]> {
    const lists = await Promise.all(segments.map((segment) => this.#executor.compile(segment)));
    const compiled = lists.flat().filter(({ dispatch }) => dispatch.grid.every((dim) => gridSize(dim, extents) > 0));
    await this.#executor.idle();
    const encode = (pass: GPUComputePassEncoder, { dispatch, pipeline, bindGroup }: (typeof compiled)[number]): void => {
      const [x, y, z] = dispatch.grid.map((dim) => gridSize(dim, extents));
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(x, y, z);
    };
    const times: number[] = [];
    const step = this.#queries ? BATCH : 1;
    for (let at = 0; at < compiled.length; at += step) {
      const batch = compiled.slice(at, at + step);
      times.push(
        ...(this.#queries
          ? await this.#stamped(batch.map((c) => (pass: GPUComputePassEncoder) => encode(pass, c)))
          : [await this.#timed((pass) => encode(pass, batch[0]))]),
      );
    }
    this.#executor.check();
    return compiled.map(({ dispatch }, at) => ({
      dispatch,
      flops: amount(dispatch.work.flops, extents),
      bytes: amount(dispatch.work.bytes, extents),
      ms: times[at],
    }));
  }

  /** One pass each, between two timestamps. */
  async #stamped(encoders: readonly ((pass: GPUComputePassEncoder) => void)[]): Promise<number[]> {
    const { set, resolved, staging } = this.#queries!;
    const { device } = this.#executor.gpu;
    const commands = device.createCommandEncoder();
    encoders.forEach((encode, at) => {
      const pass = commands.beginComputePass({
        timestampWrites: { querySet: set, beginningOfPassWriteIndex: 2 * at, endOfPassWriteIndex: 2 * at + 1 },
      });
      encode(pass);
      pass.end();
    });
    commands.resolveQuerySet(set, 0, 2 * encoders.length, this.#executor.allocator.buffer(resolved), 0);
    device.queue.submit([commands.finish()]);
    const stamps = new BigUint64Array(await this.#executor.read({ buffer: resolved, offset: 0, bytes: 16 * encoders.length }, staging));
    // A device may reset its clock between two stamps; the specification lets a difference be wrong, not ours be negative.
    return encoders.map((_, at) => Math.max(0, Number(stamps[2 * at + 1] - stamps[2 * at]) / 1e6));
  }

  /** One submission, by the host's clock. */
  async #timed(encode: (pass: GPUComputePassEncoder) => void): Promise<number> {
    const { device } = this.#executor.gpu;
    const commands = device.createCommandEncoder();
    const pass = commands.beginComputePass();
    encode(pass);
    pass.end();
    const buffer = commands.finish();
    const start = performance.now();
    device.queue.submit([buffer]);
    await device.queue.onSubmittedWorkDone();
    return Math.max(0, performance.now() - start - this.#empty);
  }

  async #measureEmpty(): Promise<void> {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) times.push(await this.#timed(() => undefined));
    this.#empty = Math.min(...times);
  }
}
