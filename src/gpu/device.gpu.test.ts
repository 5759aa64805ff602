// The device: refusals that fit a page and a terminal, faults that are told once, and a loss that is told unless it was ours.

import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openGpu, type Gpu } from './device';
import { nodeGpu } from './node';

/** The GPU of Node whose devices are lost when the test says so. */
async function loseable(): Promise<{ gpu: Gpu; lose(reason: GPUDeviceLostReason, message: string): void }> {
  const real = await nodeGpu();
  let tell: (info: GPUDeviceLostInfo) => void = () => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => (tell = resolve));
  const fake = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = (await real.requestAdapter(options))!;
      const requestDevice = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = async (descriptor) => Object.defineProperty(await requestDevice(descriptor), 'lost', { value: lost });
      return adapter;
    },
  };
  const gpu = await openGpu(fake as unknown as GPU);
  return { gpu, lose: (reason, message) => tell({ __brand: 'GPUDeviceLostInfo', reason, message }) };
}

/** What `lost` says within a few turns of the event loop; undefined: nothing. */
const soon = (gpu: Gpu): Promise<unknown> => Promise.race([gpu.lost, new Promise((resolve) => setTimeout(resolve, 30))]);

test('no WebGPU and no adapter are told apart, and the remedy fits a terminal', async () => {
  await expect(openGpu(undefined)).rejects.toMatchObject({ code: 'NO_WEBGPU' });
  const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  const refused = await openGpu(none).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'NO_ADAPTER' });
  expect((refused as Error).message).not.toMatch(/browser|page|reload|settings/i);
});

test('limits are those of the adapter, or the default ones when asked', async () => {
  const real = await nodeGpu();
  const adapter = (await real.requestAdapter())!;
  const large = await openGpu(real);
  expect(large.limits.maxBufferSize).toBe(adapter.limits.maxBufferSize);
  expect(large.description.description).not.toBe('');
  large.close();
  const small = await openGpu(real, { defaultLimits: true });
  expect(small.limits).toMatchObject({ maxBufferSize: 268435456, maxStorageBufferBindingSize: 134217728 });
  small.close();
});

test('the first error that nobody caught is the fault, until it is taken', async () => {
  const gpu = await openGpu(await nodeGpu());
  const misuse = async (text: string): Promise<void> => {
    gpu.device.createShaderModule({ code: text });
    await gpu.device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 10));
  };
  expect(gpu.fault()).toBeUndefined();
  await misuse('first nonsense');
  const fault = gpu.fault();
  expect(fault).toMatchObject({ code: 'GPU_VALIDATION' });
  await misuse('second nonsense');
  expect(gpu.fault()).toBe(fault);
  expect(gpu.takeFault()).toBe(fault);
  expect([gpu.fault(), gpu.takeFault()]).toEqual([undefined, undefined]);
  await misuse('third nonsense');
  expect(gpu.fault()).toMatchObject({ code: 'GPU_VALIDATION' });
  expect(gpu.fault()).not.toBe(fault);
  gpu.close();
});

test('a lost device is told with its reason', async () => {
  const { gpu, lose } = await loseable();
  expect(await soon(gpu)).toBeUndefined();
  lose('unknown', 'The driver was reset.');
  expect(await soon(gpu)).toMatchObject({ code: 'DEVICE_LOST', detail: expect.stringContaining('The driver was reset.') as string });
});

test('a device that we destroy is not lost', async () => {
  const { gpu, lose } = await loseable();
  gpu.close();
  lose('destroyed', '');
  expect(await soon(gpu)).toBeUndefined();
  const other = await loseable();
  other.gpu.close();
  other.lose('unknown', 'Told late.');
  expect(await soon(other.gpu)).toBeUndefined();
});

test('Dawn rests between its polls; other callers of setImmediate do not wait', async () => {
  await nodeGpu();
  await nodeGpu();
  const wanted = [1, 'two'];
  expect(await new Promise((resolve) => setImmediate((...got: unknown[]) => resolve(got), ...wanted))).toEqual(wanted);
  expect(await promisify(setImmediate)('value')).toBe('value');
  /** Milliseconds of 400 turns. A bound function is native, as the callbacks of Dawn are. */
  const turns = async (of: (callback: () => void) => () => void): Promise<number> => {
    const begun = performance.now();
    for (let turn = 0; turn < 400; turn++) await new Promise<void>((resolve) => setImmediate(of(() => resolve())));
    return performance.now() - begun;
  };
  const native = await turns((callback) => callback.bind(null));
  expect(native).toBeGreaterThan(400 * 0.25);
  expect(await turns((callback) => callback)).toBeLessThan(native);
});
