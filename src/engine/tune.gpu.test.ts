// The choice between kernel families for given times. Nothing runs on the device here; the test supplies the times.

import { afterEach, expect, test, vi } from 'vitest';
import { Lab } from '../gpu/lab';
import { nodeLab } from '../testing/node-lab';
import type { Gpu } from '../gpu/device';
import { DEFAULT_KERNELS } from '../plan/input';
import type { Dispatch } from '../dispatch/types';
import { SHAPES } from '../testing/shapes';
import { chooseKernels } from './tune';

const shape = SHAPES['wordsmith-2m'];

afterEach(() => {
  vi.restoreAllMocks();
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
  expect(await chooseKernels(await card(), shape, 512)).toEqual({ matmul: 'tiles', attention: 'tiles' });
  // The families alternate.
  expect(asked.length).toBeGreaterThan(4);
  asked.forEach((name, at) => expect(name).toBe(at % 2 === 0 ? 'register' : 'tiles'));
});

test('the first time, in which kernels are compiled, does not count, and one slow round does not decide', async () => {
  clock({ register: [500, 8, 50], tiles: [1, 9] });
  expect(await chooseKernels(await card(), shape, 512)).toEqual({ matmul: 'register', attention: 'tiles' });
});

test('a software adapter is not asked', async () => {
  const asked = clock({ register: [5], tiles: [5] });
  const gpu = await card();
  expect(await chooseKernels({ ...gpu, description: { ...gpu.description, software: true } }, shape, 512)).toEqual(DEFAULT_KERNELS);
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
  for (const asked of [40, 512, 5000]) await chooseKernels(await card(), shape, asked);
  expect([...rows]).toEqual([40, 512]);
});
