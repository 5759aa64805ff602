// The ledger and the only createBuffer call: bytes by category and block, peaks, and all or nothing when memory runs out.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BufferSpec } from '../dispatch/types';
import { bytesByBlock, type MemoryCategory } from '../dispatch/memory';
import { METHODS, runConfig, runPlan } from '../testing/plans';
import { SHAPES } from '../testing/shapes';
import { spyOnBuffers } from '../testing/buffer-spy';
import { Allocator } from './allocator';
import { openGpu, type Gpu } from './device';
import { nodeGpu } from './node';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu(await nodeGpu());
});
afterAll(() => gpu.close());

const spec = (name: string, bytes: number, memory: MemoryCategory, block?: string): BufferSpec => ({
  name,
  bytes,
  memory,
  kind: 'storage',
  block,
});

/** The device, with an out-of-memory error for buffers whose name ends so. */
function scarce(): GPUDevice {
  let failed = false;
  return new Proxy(gpu.device, {
    get(device, name) {
      const value: unknown = Reflect.get(device, name, device);
      if (name === 'createBuffer') {
        const create = device.createBuffer;
        return (descriptor: GPUBufferDescriptor) => {
          failed ||= descriptor.label!.endsWith('too much');
          return create.call(device, descriptor);
        };
      }
      if (name === 'popErrorScope') {
        return async () => {
          const lacking = failed;
          failed = false;
          const real = await device.popErrorScope();
          return lacking ? new GPUOutOfMemoryError('No memory is left.') : real;
        };
      }
      return typeof value === 'function' ? (value as () => unknown).bind(device) : value;
    },
  });
}

test('when one buffer cannot be had, none of its call stays, and the error names it', async () => {
  const spy = spyOnBuffers(gpu);
  const allocator = new Allocator(scarce());
  const before = spec('before', 1024, 'weights');
  await allocator.allocate([before]);
  const wanted = [spec('first', 256, 'gradients'), spec('slot.1.m too much', 3 * 2 ** 20, 'optimizer'), spec('last', 512, 'activations')];
  await expect(allocator.allocate(wanted)).rejects.toMatchObject({
    code: 'GPU_OOM',
    detail: expect.stringMatching(/3\.0 MiB for slot\.1\.m too much \(optimizer\)/) as string,
    remedy: expect.stringMatching(/batch/) as string,
  });
  expect(allocator.reading().liveTotal).toBe(1024);
  expect(spy.live()).toBe(1024);
  // What was refused can be asked for again, and what was there still is.
  await allocator.allocate([wanted[0]]);
  expect(allocator.buffer(before).size).toBe(1024);
  expect(() => allocator.buffer(wanted[2])).toThrow(/not allocated/);
  allocator.freeAll();
  expect(spy.live()).toBe(0);
  expect(gpu.fault()).toBeUndefined();
  spy.end();
});

test('a buffer above the device’s limit is refused the same way', async () => {
  const spy = spyOnBuffers(gpu);
  const allocator = new Allocator(gpu.device);
  const wanted = [spec('small', 256, 'weights'), spec('huge', 2 ** 42, 'weights')];
  await expect(allocator.allocate(wanted)).rejects.toMatchObject({ code: 'GPU_OOM', detail: expect.stringContaining('huge') as string });
  expect([allocator.reading().liveTotal, spy.live()]).toEqual([0, 0]);
  expect(gpu.fault()).toBeUndefined();
  spy.end();
});

test('the ledger reads live bytes, and the peak by category and block as it was at its highest', async () => {
  const allocator = new Allocator(gpu.device);
  const [weights, slot, inputs] = [
    spec('w', 1024, 'weights', 'layer.0'),
    spec('g', 4096, 'gradients', 'layer.0'),
    spec('i', 256, 'inputs'),
  ];
  await allocator.allocate([weights, slot, inputs]);
  allocator.free([slot]);
  await allocator.allocate([spec('later', 512, 'cache', 'layer.1')]);
  const reading = allocator.reading();
  expect(reading.liveTotal).toBe(1024 + 256 + 512);
  expect(reading.live).toMatchObject({ weights: 1024, gradients: 0, inputs: 256, cache: 512 });
  expect(reading.byBlock).toEqual({ 'layer.0': 1024, 'layer.1': 512, '': 256 });
  expect(reading.peakTotal).toBe(1024 + 4096 + 256);
  expect(reading.peakByBlock).toEqual({ 'layer.0': 1024 + 4096, '': 256 });
  expect(reading.peak).toMatchObject({ weights: 1024, gradients: 4096, inputs: 256, cache: 0 });
  await expect(allocator.allocate([weights])).rejects.toMatchObject({ code: 'INTERNAL' });
  allocator.freeAll();
  expect(allocator.reading()).toMatchObject({ liveTotal: 0, byBlock: {}, peakTotal: 1024 + 4096 + 256 });
});

test.each(METHODS)(
  '$name: the ledger has the bytes of every block that the plan has, and that createBuffer was asked for',
  async (method) => {
    const shape = SHAPES['odd Llama, untied'];
    const config = runConfig(shape, method);
    const asked: Record<string, number> = {};
    const { allBuffers } = runPlan(shape, config);
    const allocator = new Allocator(gpu.device);
    const spy = spyOnBuffers(gpu);
    const blockOf = new Map(allBuffers.map(({ name, block }) => [name, block ?? '']));
    expect(blockOf.size).toBe(allBuffers.length);
    const create = gpu.device.createBuffer;
    gpu.device.createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
      const block = blockOf.get(descriptor.label!)!;
      asked[block] = (asked[block] ?? 0) + descriptor.size;
      return create.call(gpu.device, descriptor);
    };
    await allocator.allocate(allBuffers);
    const { byBlock, peakByBlock, liveTotal } = allocator.reading();
    // The forecast's plan is made anew from shape and configuration.
    expect(byBlock).toEqual(bytesByBlock(runPlan(shape, config).allBuffers));
    expect([byBlock, peakByBlock]).toEqual([asked, asked]);
    expect(Object.values(byBlock).reduce((sum, bytes) => sum + bytes)).toBe(liveTotal);
    for (let layer = 0; layer < shape.layers; layer++) expect(byBlock[`layer.${layer}`]).toBeGreaterThan(0);
    allocator.freeAll();
    spy.end();
  },
);
