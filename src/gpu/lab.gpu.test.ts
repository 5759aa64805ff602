// What the lab leaves behind: no buffer, whether a run succeeds or fails, and pipelines where the session finds them.

import { expect, test } from 'vitest';
import { fill } from '../shaders/copy/fill';
import { spyOnBuffers } from '../testing/buffer-spy';
import { openGpu } from './device';
import { Lab, scratch } from './lab';
import { nodeGpu } from './node';
import { PipelineCache } from './pipelines';

test('a lab keeps no buffer, and shares its pipelines with whoever comes next on the device', async () => {
  const gpu = await openGpu(await nodeGpu());
  const spy = spyOnBuffers(gpu);
  const lab = new Lab(gpu);
  const x = scratch('x', 1024);
  const dispatch = fill({ label: 'x', x, elements: 1024, value: 2 });

  expect((await lab.run([dispatch], new Map(), [x]))[0][1023]).toBe(2);
  expect(spy.live()).toBe(0);
  expect(await lab.time([dispatch], {}, 3)).toBeGreaterThan(0);
  expect(spy.live()).toBe(0);
  expect(spy.created()).toBeGreaterThan(0);

  let compiled = 0;
  const compile = gpu.device.createComputePipelineAsync.bind(gpu.device);
  gpu.device.createComputePipelineAsync = (descriptor) => {
    compiled++;
    return compile(descriptor);
  };
  await PipelineCache.of(gpu.device).get(dispatch.kernel);
  await new Lab(gpu).time([dispatch], {}, 1);
  expect(compiled).toBe(0);

  const broken = { ...dispatch, kernel: { ...dispatch.kernel, key: 'broken', wgsl: `${dispatch.kernel.wgsl}\nnonsense` } };
  await expect(lab.run([broken], new Map(), [x])).rejects.toMatchObject({ code: 'SHADER_COMPILE' });
  await expect(lab.time([broken], {}, 1)).rejects.toMatchObject({ code: 'SHADER_COMPILE' });
  expect(spy.live()).toBe(0);
  spy.end();
  gpu.close();
});
