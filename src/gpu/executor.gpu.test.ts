// How the executor submits: one pass a command buffer, cut at about 50 ms of measured work, two in flight at most; and
// what a reader hears when the device is lost. Where time matters the device is a spy with a clock of its own.

import { afterEach, expect, test, vi } from 'vitest';
import { AppError } from '../base/errors';
import { frameSpec } from '../dispatch/frame';
import { buildParamTable } from '../dispatch/params';
import type { BufferSpec, Dispatch, Segment } from '../dispatch/types';
import type { Extents } from '../dispatch/extents';
import { fill } from '../shaders/copy/fill';
import { Allocator } from './allocator';
import { openGpu, type Gpu } from './device';
import { Executor } from './executor';
import { scratch } from './lab';
import { nodeGpu } from './node';
import type { PipelineCache } from './pipelines';

const NONE: Extents = { rows: 0, targets: 0, tokenGroups: 0, positionGroups: 0, pairs: 0 };

afterEach(() => {
  vi.restoreAllMocks();
});

interface Submission {
  readonly passes: number;
  readonly flops: number;
  readonly startedAt: number;
  readonly inFlight: number;
}

/** A device that does nothing, at `flopsPerMs`, one command buffer after the other; and the clock it lives by. */
function pacedGpu(flopsPerMs: number) {
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const submissions: Submission[] = [];
  const queued: { endsAt: number; settle: () => void }[] = [];
  let busyUntil = now;
  let recording = { passes: 0, flops: 0 };
  let work = 0;
  const device = {
    createBindGroup: ({ label }: { label: string }) => ({ flops: Number(label) }),
    createCommandEncoder: () => {
      recording = { passes: 0, flops: 0 };
      return {
        beginComputePass: () => {
          recording.passes++;
          return {
            setPipeline: () => undefined,
            setBindGroup: (_: number, { flops }: { flops: number }) => (work = flops),
            dispatchWorkgroups: () => (recording.flops += work),
            end: () => undefined,
          };
        },
        finish: () => recording,
      };
    },
    queue: {
      writeBuffer: () => undefined,
      submit: (buffers: { passes: number; flops: number }[]) => {
        expect(buffers).toHaveLength(1);
        const [{ passes, flops }] = buffers;
        submissions.push({ passes, flops, startedAt: now, inFlight: queued.length });
        busyUntil = Math.max(now, busyUntil) + flops / flopsPerMs;
      },
      onSubmittedWorkDone: () => new Promise<void>((settle) => queued.push({ endsAt: busyUntil, settle })),
    },
  };
  const finishNext = (): boolean => {
    const next = queued.shift();
    if (!next) return false;
    now = Math.max(now, next.endsAt);
    next.settle();
    return true;
  };
  return { gpu: { device, fault: () => undefined } as unknown as Gpu, submissions, finishNext };
}

/** A segment of `count` dispatches of the given work each; nothing of it reaches a GPU. */
function workSegment(count: number, flops: number): Segment {
  const x = scratch('x', 64);
  const dispatches = Array.from({ length: count }, (): Dispatch => ({
    ...fill({ label: String(flops), x, elements: 64, value: 0 }),
    work: { flops: { one: flops }, bytes: {} },
  }));
  return { name: 'work', dispatches };
}

test('command buffers hold one pass and about 50 ms of work, whatever the speed of the device, and two are in flight', async () => {
  for (const flopsPerMs of [2.5e5, 5e6, 2e8]) {
    // A millisecond each on this device.
    const segment = workSegment(3000, flopsPerMs);
    const { gpu, submissions, finishNext } = pacedGpu(flopsPerMs);
    const allocator = { buffer: () => ({}) } as unknown as Allocator;
    const pipelines = { get: () => Promise.resolve({}), layout: () => ({}) } as unknown as PipelineCache;
    const executor = new Executor(gpu, allocator, buildParamTable([segment]), frameSpec(), pipelines);
    let ended = false;
    const run = executor.run([segment], NONE).then(() => (ended = true));
    // The device goes on only when the executor waits for it.
    while (!ended) {
      for (let turn = 0; turn < 20 && !ended; turn++) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      if (!ended) finishNext();
    }
    await run;
    expect(submissions.reduce((sum, { flops }) => sum + flops, 0)).toBe(3000 * flopsPerMs);
    expect(new Set(submissions.map(({ passes }) => passes))).toEqual(new Set([1]));
    // Two at work while the third is handed in: never more are unfinished.
    expect(Math.max(...submissions.map(({ inFlight }) => inFlight + 1))).toBe(2);
    const ms = submissions.map(({ flops }) => flops / flopsPerMs);
    // Once the speed is known; the last one is what was left.
    const known = ms.slice(Math.ceil(ms.length / 2), -1);
    expect(known.length, `${ms.join()}`).toBeGreaterThan(2);
    for (const each of known) {
      expect(each).toBeGreaterThan(40);
      expect(each).toBeLessThan(60);
    }
    vi.restoreAllMocks();
  }
});

test('a segment is inspected once, before it is compiled, and one that is refused does not run', async () => {
  const [sound, broken] = [workSegment(1, 1), workSegment(1, 1)];
  const { gpu, submissions, finishNext } = pacedGpu(1);
  const allocator = { buffer: () => ({}) } as unknown as Allocator;
  const get = vi.fn(() => Promise.resolve({}));
  const pipelines = { get, layout: () => ({}) } as unknown as PipelineCache;
  const inspect = vi.fn((segment: Segment) => {
    if (segment === broken) throw new Error('not sound');
  });
  const executor = new Executor(gpu, allocator, buildParamTable([sound, broken]), frameSpec(), pipelines, inspect);
  await executor.run([sound, sound], NONE);
  finishNext();
  await executor.run([sound], NONE);
  expect([inspect.mock.calls.length, get.mock.calls.length, submissions.length]).toEqual([1, 1, 2]);
  await expect(executor.run([broken], NONE)).rejects.toThrowError('not sound');
  expect([get.mock.calls.length, submissions.length]).toEqual([1, 2]);
  vi.restoreAllMocks();
});

interface Opened {
  readonly gpu: Gpu;
  readonly executor: Executor;
  readonly x: ReturnType<typeof scratch>;
  readonly segment: Segment;
  readonly staging: BufferSpec;
}

async function open(change: (gpu: Gpu) => Gpu = (gpu) => gpu): Promise<Opened> {
  const gpu = change(await openGpu(await nodeGpu()));
  const x = scratch('x', 256);
  const segment: Segment = {
    name: 'fill',
    dispatches: [1, 2, 3].map((value) => fill({ label: `x = ${value}`, x, elements: 256, value })),
  };
  const params = buildParamTable([segment]);
  const frame = frameSpec();
  const staging: BufferSpec = { name: 'staging', bytes: 256, memory: 'staging', kind: 'readback' };
  const allocator = new Allocator(gpu.device);
  await allocator.allocate([x.buffer, staging, params.spec, frame]);
  return { gpu, executor: new Executor(gpu, allocator, params, frame), x, segment, staging };
}

test('a real device gets one pass a command buffer, and the dispatches in order', async () => {
  const { gpu, executor, x, segment, staging } = await open();
  const passes: number[] = [];
  const createCommandEncoder = gpu.device.createCommandEncoder.bind(gpu.device);
  gpu.device.createCommandEncoder = () => {
    const encoder = createCommandEncoder();
    const begin = encoder.beginComputePass.bind(encoder);
    const at = passes.push(0) - 1;
    encoder.beginComputePass = (descriptor) => {
      passes[at]++;
      return begin(descriptor);
    };
    return encoder;
  };
  await executor.run([segment, segment], NONE);
  await executor.idle();
  expect(passes).toEqual([1]);
  // In pieces: the view is four times as long as the readback buffer.
  const values = new Float32Array(await executor.read(x, staging));
  expect(values).toEqual(new Float32Array(256).fill(3));
  expect(passes).toEqual([1, 0, 0, 0, 0]);
  executor.allocator.freeAll();
  gpu.close();
});

test('a readback leaves nothing behind on the promise that the device is lost', async () => {
  let reactions = 0;
  const { gpu, executor, x, segment, staging } = await open((real) => {
    const lost = new Promise<AppError>(() => undefined);
    const then = lost.then.bind(lost);
    lost.then = ((...args: Parameters<typeof then>) => {
      reactions++;
      return then(...args);
    }) as typeof lost.then;
    return { ...real, lost };
  });
  await executor.run([segment], NONE);
  for (let i = 0; i < 5; i++) await executor.read(x, staging);
  expect(reactions).toBe(0);
  executor.allocator.freeAll();
  gpu.close();
});

test('a readback that the loss of the device ends says so, and one that we end ourselves does not wait for ever', async () => {
  const loss = new AppError('DEVICE_LOST', 'The graphics device was lost.', 'Reload the page.');
  let tell: (error: AppError) => void = () => undefined;
  const { gpu, executor, x, staging } = await open((real) => ({ ...real, lost: new Promise((resolve) => (tell = resolve)) }));
  const reading = executor.read(x, staging);
  gpu.device.destroy();
  // As browsers do, a little after the calls that it ends.
  setTimeout(() => tell(loss), 20);
  await expect(reading).rejects.toBe(loss);

  const own = await open();
  const ended = own.executor.read(own.x, own.staging);
  own.gpu.close();
  await expect(ended).rejects.toThrow();
});
