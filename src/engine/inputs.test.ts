// A batch's arrays lie where the plan's kernels look for them, and nothing of the previous batch remains between them.

import { expect, test } from 'vitest';
import type { View } from '../dispatch/types';
import type { Executor } from '../gpu/executor';
import { planInput } from '../plan/input';
import { RunPlan } from '../plan/run-plan';
import { TINY, tinyConfig, tinyStep } from '../testing/tiny';
import { writeBatch } from './inputs';

const plan = new RunPlan(planInput(TINY['tied Llama'], tinyConfig({ method: 'full' })));

function written(arrays: Parameters<typeof writeBatch>[2]): Uint32Array {
  const writes: { view: View; data: ArrayBufferView }[] = [];
  writeBatch({ write: (view: View, data: ArrayBufferView) => writes.push({ view, data }) } as unknown as Executor, plan, arrays);
  expect(writes).toHaveLength(1);
  const [{ view, data }] = writes;
  expect(view).toEqual({ buffer: plan.buffers.inputs, offset: 0, bytes: plan.buffers.inputs.bytes });
  expect(data.byteLength).toBe(view.bytes);
  return data as Uint32Array;
}

test('every array that the plan reads is in its place, and the rest is zero', () => {
  const [batch] = tinyStep(TINY['tied Llama'], 3).microBatches;
  const packed = written(batch).slice();
  // Rotary positions need no order of their own.
  expect([...plan.buffers.inputViews.keys()]).not.toContain('positionOrder');
  for (const [name, { offset }] of plan.buffers.inputViews) {
    const at = offset / 4;
    expect(packed.slice(at, at + batch[name].length), name).toEqual(batch[name]);
    packed.fill(0, at, at + batch[name].length);
  }
  expect(packed.every((word) => word === 0)).toBe(true);
});

test('what is left out is zero', () => {
  const packed = written({ tokens: Uint32Array.of(5, 6) });
  expect(packed.reduce((sum, word) => sum + word, 0)).toBe(11);
});

test('more tokens than a micro-batch may have are refused before anything is written', () => {
  const most = plan.capacity.rows;
  expect(() => written({ tokens: new Uint32Array(most + 1) })).toThrowError(
    `The micro-batch has ${most + 1} tokens, but the plan has room for ${most}.`,
  );
});
