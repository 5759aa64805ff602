// A batch's arrays lie where the plan's kernels look for them, and nothing of the previous batch remains between them.

import { expect, test } from 'vitest';
import type { View } from '../dispatch/types';
import type { Executor } from '../gpu/executor';
import { planInput } from '../plan/input';
import { RunPlan } from '../plan/run-plan';
import { TINY, tinyConfig, tinyStep } from '../testing/tiny';
import { writeBatch } from './inputs';
import { NO_ROW, TokenRows } from './token-rows';

const plan = new RunPlan(planInput(TINY['tied Llama'], tinyConfig({ method: 'full' })));

function written(arrays: Parameters<typeof writeBatch>[1], of = plan, tokenRows: TokenRows | null = null): Uint32Array {
  const writes: { view: View; data: ArrayBufferView }[] = [];
  const executor = { write: (view: View, data: ArrayBufferView) => writes.push({ view, data }) } as unknown as Executor;
  writeBatch({ executor, plan: of, tokenRows }, arrays);
  expect(writes).toHaveLength(1);
  const [{ view, data }] = writes;
  expect(view).toEqual({ buffer: of.buffers.inputs, offset: 0, bytes: of.buffers.inputs.bytes });
  expect(data.byteLength).toBe(view.bytes);
  return data as Uint32Array;
}

test('every array that the plan reads is in its place, and the rest is zero', () => {
  const [batch] = tinyStep(TINY['tied Llama'], 3).microBatches;
  const packed = written(batch).slice();
  // Rotary positions need no order of their own.
  expect([...plan.buffers.inputViews.keys()]).not.toContain('positionOrder');
  for (const [name, { offset }] of plan.buffers.inputViews) {
    if (name === 'rowOfToken' || name === 'windowStart' || name === 'windowEnd')
      throw new Error('No matrix trains by rows, and no window slides.');
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

test('where rows of tokens train, ids are also told as places among those rows', () => {
  const shape = TINY['tied Llama'];
  const rows = new TokenRows(Uint32Array.of(3, 5, 60), shape.vocab);
  const byRows = new RunPlan(planInput(shape, tinyConfig({ lisaEmbedding: 'rows' }), { dataTokens: 3 }));
  const arrays = { tokens: Uint32Array.of(60, 4, 3), tokenGroupId: Uint32Array.of(3, 5) };
  const packed = written(arrays, byRows, rows);
  const at = (name: 'tokens' | 'rowOfToken' | 'tokenGroupId', count: number): number[] => {
    const { offset } = byRows.buffers.inputViews.get(name)!;
    return [...packed.slice(offset / 4, offset / 4 + count)];
  };
  expect([at('tokens', 3), at('rowOfToken', 3), at('tokenGroupId', 2)]).toEqual([
    [60, 4, 3],
    [2, NO_ROW, 0],
    [0, 1],
  ]);
});

test('the elements that a piece of a matrix shares with the rows that train', () => {
  const rows = new TokenRows(Uint32Array.of(1, 2, 5), 8);
  const width = 4;
  for (let start = 0; start < 32; start++) {
    for (let end = start + 1; end <= 32; end++) {
      // By hand: the place among the rows of every element of the piece that is in one of them.
      const want = Array.from({ length: end - start }, (_, i) => start + i).flatMap((at) => {
        const row = [1, 2, 5].indexOf(Math.floor(at / width));
        return row < 0 ? [] : [{ at: at - start, in: row * width + (at % width) }];
      });
      const shared = rows.shared(start, end, width);
      const got = (shared?.runs ?? []).flatMap(({ from, to, length }) =>
        Array.from({ length }, (_, i) => ({ at: to + i, in: shared!.start + from + i })),
      );
      expect(got, `${start} to ${end}`).toEqual(want);
      expect(shared?.length ?? 0).toBe(want.length);
    }
  }
});

test('more tokens than a micro-batch may have are refused before anything is written', () => {
  const most = plan.capacity.rows;
  expect(() => written({ tokens: new Uint32Array(most + 1) })).toThrowError(
    `The micro-batch has ${most + 1} tokens, but the plan has room for ${most}.`,
  );
});
