// Blocks in several buffers: every tensor lies in the buffer in which it is bound, a vocabulary matrix is cut between rows, and plans are
// sound for every method when all blocks are cut into the smallest possible shards.

import { microSegments } from './step-plan';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { rowsOfShard } from '../model/shards';
import { parameterTable } from '../model/parameters';
import { assignments, dispatchesOf, everySegment, METHODS, runConfig, runPlan } from '../testing/plans';
import { ODD_NAMES, SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { layoutBlock, rowsByBlock } from './layout';
import { shardedBuffer, tensorRows, tensorView, viewsOf, type ShardedBuffer } from './sharded-buffer';
import { planFaults } from '../dispatch/validate';

const makeSharded = (layout: ReturnType<typeof layoutBlock>): ShardedBuffer =>
  shardedBuffer('block', layout, (name, bytes, tensor) => ({ name, bytes, memory: 'weights', kind: 'storage', tensor }));

test('rows of a shard: 64s within the bytes, and never fewer', () => {
  expect(rowsOfShard(768)).toBe(43_648);
  expect(rowsOfShard(896)).toBe(37_440);
  expect(rowsOfShard(39, 64 * 39 * 4)).toBe(64);
  expect(rowsOfShard(39, 1)).toBe(64);
});

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];
  const limits = ODD_NAMES.includes(name) ? [1, 64 * shape.width * 4, 70_000, 2 ** 27] : [2 ** 22, 2 ** 27, 2 ** 28];

  test.each(limits)('shards of %i bytes', (shardBytes) => {
    for (const rows of rowsByBlock(parameterTable(shape, shardBytes)).values()) {
      const layout = layoutBlock(rows, shardBytes);
      const whole = layoutBlock(
        rows.map((row) => ({ ...row, shards: 1 })),
        2 ** 40,
      );
      expect(whole.cuts).toEqual([{ at: 0 }]);
      // Cuts don't move any tensor.
      expect({ ...layout, cuts: [] }).toEqual({ ...whole, cuts: [] });
      const sharded = makeSharded(layout);
      let at = 0;
      for (const shard of sharded.shards) {
        expect(shard.at).toBe(at);
        expect(shard.view.buffer.bytes % 256).toBe(0);
        expect(shard.view.buffer.bytes).toBeGreaterThan(0);
        if (shard.view.buffer.tensor === undefined)
          expect(shard.view.buffer.bytes).toBeLessThanOrEqual(Math.max(shardBytes, 256 * shape.width));
        at += shard.view.buffer.bytes;
      }
      expect(at).toBe(layout.bytes);
      for (const row of rows) {
        const { offset, elements } = layout.places.get(row.local)!;
        if (row.shards === 1) {
          const view = tensorView(sharded, layout, row.fused ?? row.local);
          expect(view.buffer.bytes).toBeGreaterThanOrEqual(view.offset + view.bytes);
          continue;
        }
        const pieces = tensorRows(sharded, layout, row.local, row.shape[1]);
        expect(pieces).toHaveLength(row.shards);
        expect(pieces.map(({ first }) => first)).toEqual(pieces.map((_, index) => index * pieces[0].rows));
        expect(pieces.reduce((sum, { rows: held }) => sum + held, 0)).toBe(row.shape[0]);
        expect(viewsOf(sharded, offset, 4 * elements).map(({ buffer }) => buffer)).toEqual(pieces.map(({ view }) => view.buffer));
        expect(() => tensorView(sharded, layout, row.local)).toThrow('several buffers');
      }
    }
  });
});

test('GPT-2 and Qwen2.5 under default limits: the shards of their vocabularies, and layers in one buffer', () => {
  const buffers = (name: 'GPT-2 124M' | 'Qwen2.5-0.5B' | 'SmolLM2-135M', block: 'embedding' | 'layer.0'): number[] => {
    const rows = rowsByBlock(parameterTable(SHAPES[name])).get(block)!;
    return makeSharded(layoutBlock(rows)).shards.map(({ view }) => view.bytes);
  };
  // The positions have room behind the last rows of the vocabulary.
  expect(buffers('GPT-2 124M', 'embedding')).toEqual([43_648 * 768 * 4, (50_257 - 43_648 + 1024) * 768 * 4]);
  expect(buffers('SmolLM2-135M', 'embedding')).toEqual([49_152 * 576 * 4]);
  expect(buffers('Qwen2.5-0.5B', 'embedding')).toEqual([...Array<number>(4).fill(37_440 * 896 * 4), (151_936 - 4 * 37_440) * 896 * 4]);
  for (const name of ['GPT-2 124M', 'Qwen2.5-0.5B', 'SmolLM2-135M'] as const) expect(buffers(name, 'layer.0')).toHaveLength(1);
});

describe.each(ODD_NAMES)('%s in the smallest shards', (name) => {
  const shape = SHAPES[name];
  test.each(METHODS)('$name: every dispatch is sound, and the head covers the vocabulary once', (method) => {
    const plan = runPlan(shape, runConfig(shape, method), { shardBytes: 1 });
    const segments = everySegment(plan);
    expect(planFaults(plan.allBuffers, segments, plan.capacity, DEFAULT_LIMITS)).toEqual([]);
    const shards = Math.ceil(shape.vocab / 64);
    const evaluation = dispatchesOf(plan.evaluation(plan.capacity));
    expect(evaluation.filter(({ label }) => label === 'head/logits')).toHaveLength(shards);
    expect(evaluation.filter(({ label }) => label === 'embedding train')).toHaveLength(shards);
    const dX = dispatchesOf(microSegments(plan.step(assignments(plan)[0]), plan.capacity)).filter(({ label }) => label === 'head/dX');
    expect(dX.map(({ kernel }) => /ACCUMULATE=(\d)/.exec(kernel.key)?.[1])).toEqual(['0', ...Array<string>(shards - 1).fill('3')]);
  });
});
