// The choice between kernel families for given times. Nothing runs on the device here; the test supplies the times.

import { afterEach, expect, test, vi } from 'vitest';
import { Lab } from '../gpu/lab';
import { nodeLab } from '../testing/node-lab';
import type { Gpu } from '../gpu/device';
import { CARD_KERNELS, DEFAULT_KERNELS } from '../plan/input';
import type { Dispatch } from '../dispatch/types';
import { SHAPES } from '../testing/shapes';
import type { KernelResult } from '../check/kernels';
import type { KernelGroup } from '../check/trial';
import { chooseKernels, resumedKernels } from './tune';

const shape = SHAPES['wordsmith-2m'];

const wrong = new Set<KernelGroup>();
/** Whether kernels are right is the subject of src/check; here the test says it. */
const wrongIn = (_: Gpu, group: KernelGroup): Promise<KernelResult | null> =>
  Promise.resolve(wrong.has(group) ? { name: 'a product', group, error: 0.3, bound: 1e-6, right: false } : null);
const chosen = (gpu: Gpu, rows = 512) => chooseKernels(gpu, shape, rows, wrongIn);

afterEach(() => {
  vi.restoreAllMocks();
  wrong.clear();
});

/** The tests' device, treated as a graphics card. */
async function card(): Promise<Gpu> {
  const { gpu } = await nodeLab();
  return { ...gpu, description: { ...gpu.description, software: false } };
}

const trialOf = ([{ kernel }]: readonly Dispatch[]): string => (kernel.key.includes('.register') ? 'register' : 'tiles');

/** Milliseconds by trial, in the order in which they are asked for; the last one repeats. */
function clock(times: Readonly<Record<string, readonly number[]>>): string[] {
  const asked: string[] = [];
  vi.spyOn(Lab.prototype, 'time').mockImplementation((dispatches) => {
    const trial = trialOf(dispatches);
    const round = asked.filter((name) => name === trial).length;
    asked.push(trial);
    return Promise.resolve(times[trial][Math.min(round, times[trial].length - 1)]);
  });
  return asked;
}

test('matrix products get the family with the lower best time, attention never the kernels of software adapters', async () => {
  const asked = clock({ register: [9], tiles: [8] });
  expect(await chosen(await card())).toEqual({ kernels: { matmul: 'tiles', attention: 'tiles' }, wrong: [] });
  // The families alternate.
  expect(asked.length).toBeGreaterThan(4);
  asked.forEach((name, at) => expect(name).toBe(at % 2 === 0 ? 'register' : 'tiles'));
});

test('the first time, in which kernels are compiled, does not count, and one slow round does not decide', async () => {
  clock({ register: [500, 8, 50], tiles: [1, 9] });
  expect(await chosen(await card())).toEqual({ kernels: { matmul: 'register', attention: 'tiles' }, wrong: [] });
});

test('a software adapter is not asked', async () => {
  const asked = clock({ register: [5], tiles: [5] });
  const gpu = await card();
  expect(await chosen({ ...gpu, description: { ...gpu.description, software: true } })).toEqual({
    kernels: DEFAULT_KERNELS,
    wrong: [],
  });
  expect(asked).toEqual([]);
});

test('a trial has as many rows as a step, but at most 512', async () => {
  const rows = new Set<number>();
  vi.spyOn(Lab.prototype, 'time').mockImplementation((dispatches) => {
    // m, the first parameter of a product.
    const [{ kernel, params }] = dispatches;
    if (kernel.name.startsWith('matmul')) rows.add(new DataView(params.buffer, params.byteOffset).getUint32(0, true));
    return Promise.resolve(1);
  });
  for (const asked of [40, 512, 5000]) await chosen(await card(), asked);
  expect([...rows]).toEqual([40, 512]);
});

test('a family that computes wrongly is not used, nor resumed with, and is named', async () => {
  const gpu = await card();
  const asked = clock({ register: [9], tiles: [8] });
  wrong.add('matmul tiles');
  const products = await chosen(gpu);
  expect(products).toMatchObject({ kernels: { matmul: 'register', attention: 'tiles' }, wrong: [{ group: 'matmul tiles', error: 0.3 }] });
  expect(asked).toEqual([]);
  expect(resumedKernels(gpu, CARD_KERNELS, products)).toEqual(products.kernels);
  wrong.add('attention tiles');
  expect((await chosen(gpu)).kernels).toEqual(DEFAULT_KERNELS);
});

test('a device on which nothing is right is refused', async () => {
  wrong.add('matmul register').add('matmul tiles');
  await expect(chosen(await card())).rejects.toMatchObject({
    code: 'GPU_WRONG',
    detail: 'This graphics device computes wrongly: a product is off by 3.0e-1 where 1.0e-6 is rounding.',
  });
});
