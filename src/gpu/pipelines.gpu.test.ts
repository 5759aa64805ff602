// Compiling: once a kernel, and an error that names file, line and column of every message, with the line itself.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Kernel } from '../dispatch/types';
import { kernel } from '../dispatch/kernel';
import { openGpu, type Gpu } from './device';
import { nodeGpu } from './node';
import { PipelineCache } from './pipelines';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu(await nodeGpu());
});
afterAll(() => gpu.close());

const BODY = `
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(SIZE)
fn main(@builtin(global_invocation_id) id: vec3u) {
  y[id.x] = SOURCE;
}`;
const made = (name: string, source: string, constants = { SIZE: 64 }): Kernel => kernel(name, [BODY.replace('SOURCE', source)], constants);

/** The line of a kernel's text that holds `text`, and its column, from 1. */
function placeOf({ wgsl }: Kernel, text: string): string {
  const lines = wgsl.slice(0, wgsl.indexOf(text)).split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
}

test('a kernel that does not compile is named with line and column, and the line is shown', async () => {
  const broken = made('test_broken', 'nowhere[id.x]');
  const error = await new PipelineCache(gpu.device).get(broken).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'SHADER_COMPILE' });
  const { message } = error as Error;
  expect(message).toContain(`test_broken.wgsl:${placeOf(broken, 'nowhere')} `);
  expect(message).toContain('y[id.x] = nowhere[id.x];');
  expect(message).toContain('SIZE=64');
});

test('a kernel that the device refuses is named too', async () => {
  const large = made('test_large', '1.0', { SIZE: 1_000_000 });
  await expect(new PipelineCache(gpu.device).get(large)).rejects.toMatchObject({
    code: 'SHADER_COMPILE',
    detail: expect.stringContaining('test_large') as string,
  });
  // Nothing of it is left for the run to trip over.
  expect(gpu.fault()).toBeUndefined();
});

test('each kernel is compiled once a device, however many ask at once; equal bindings share a layout', async () => {
  const [one, two] = [made('test_one', '1.0'), made('test_two', '2.0')];
  const cache = PipelineCache.of(gpu.device);
  expect(PipelineCache.of(gpu.device)).toBe(cache);
  const [a, b, other] = await Promise.all([cache.get(one), cache.get(one), cache.get(two)]);
  expect(b).toBe(a);
  expect(other).not.toBe(a);
  expect(cache.layout(one)).toBe(cache.layout(two));
});
