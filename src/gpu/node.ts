// WebGPU for Node: Dawn through the npm package `webgpu`. The only file that imports it. The launcher (scripts/gpu-env.mjs) has
// pointed the Vulkan loader at a software driver if there is no GPU.

import { AppError } from '../base/errors';

// Dawn's instance lives in the GPU object, not in the device: once it is garbage-collected, the next use of the
// device aborts the process. On globalThis, because a test runner may load this module more than once.
const KEPT = Symbol.for('lisa-studio.gpu');
const kept = ((globalThis as { [KEPT]?: GPU[] })[KEPT] ??= []);

/**
 * Dawn without its own bounds checks, which cost a third of a matmul's speed. For programs that run this project's
 * kernels only: they check their bounds themselves, and the tests run them with Dawn's checks on.
 */
export const UNCHECKED = ['enable-dawn-features=disable_robustness'];

/** Between two polls, in ms. */
const REST = 0.25;
const RESTING = Symbol.for('lisa-studio.resting');

/**
 * Makes Dawn rest between polls. While work is under way it asks for the outcome from one setImmediate to the next, which takes
 * a whole core; a software GPU needs that core itself. Dawn's callbacks are known by being native, others do not wait.
 */
function restBetweenPolls(): void {
  const immediately = globalThis.setImmediate;
  if (RESTING in immediately) return;
  const never = new Int32Array(new SharedArrayBuffer(4));
  const resting = (callback: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
    if (!/\[native code\]/.test(Function.prototype.toString.call(callback))) return immediately(callback, ...args);
    return immediately(() => {
      Atomics.wait(never, 0, 0, REST);
      callback(...args);
    });
  };
  // With setImmediate's own properties: util.promisify reads one.
  const properties = { ...Object.getOwnPropertyDescriptors(immediately), [RESTING]: { value: true } };
  globalThis.setImmediate = Object.defineProperties(resting, properties) as typeof setImmediate;
}

/** `flags` go to Dawn, for example 'disable-dawn-features=timestamp_quantization'. */
export async function nodeGpu(flags: readonly string[] = []): Promise<GPU> {
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    restBetweenPolls();
    const gpu = create([...flags]);
    kept.push(gpu);
    return gpu;
  } catch (cause) {
    throw new AppError(
      'NO_WEBGPU',
      'Dawn, the WebGPU library for Node, could not be loaded.',
      'Run `npm install` again; Linux also needs libvulkan1.',
      { cause },
    );
  }
}
