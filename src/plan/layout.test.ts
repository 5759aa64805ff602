// Blocks in several buffers: every tensor in the one that it is bound in, a vocabulary matrix cut between rows, plans sound for
// every method when all blocks are cut to the smallest parts there are.

import { microSegments } from './step-plan';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { rowsOfPart } from '../model/parts';
import { parameterTable } from '../model/parameters';
import { assignments, dispatchesOf, everySegment, METHODS, runConfig, runPlan } from '../testing/plans';
import { ODD_NAMES, SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { layoutBlock, rowsByBlock } from './layout';
import { storeOf, tensorRows, tensorView, viewsOf, type Store } from './store';
import { planFaults } from '../dispatch/validate';

const makeStore = (layout: ReturnType<typeof layoutBlock>): Store =>
  storeOf('block', layout, (name, bytes, tensor) => ({ name, bytes, memory: 'weights', kind: 'storage', tensor }));

test('rows of a part: 64s within the bytes, and never fewer', () => {
  expect(rowsOfPart(768)).toBe(43_648);
  expect(rowsOfPart(896)).toBe(37_440);
  expect(rowsOfPart(39, 64 * 39 * 4)).toBe(64);
  expect(rowsOfPart(39, 1)).toBe(64);
});

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];
  const limits = ODD_NAMES.includes(name) ? [1, 64 * shape.width * 4, 70_000, 2 ** 27] : [2 ** 22, 2 ** 27, 2 ** 28];

  test.each(limits)('parts of %i bytes', (partBytes) => {
    for (const rows of rowsByBlock(parameterTable(shape, partBytes)).values()) {
      const layout = layoutBlock(rows, partBytes);
      const whole = layoutBlock(
        rows.map((row) => ({ ...row, parts: 1 })),
        2 ** 40,
      );
      expect(whole.cuts).toEqual([{ at: 0 }]);
      // Cuts move nothing.
      expect({ ...layout, cuts: [] }).toEqual({ ...whole, cuts: [] });
      const store = makeStore(layout);
      let at = 0;
      for (const part of store.parts) {
        expect(part.at).toBe(at);
        expect(part.buffer.bytes % 256).toBe(0);
        expect(part.buffer.bytes).toBeGreaterThan(0);
        if (part.buffer.tensor === undefined) expect(part.buffer.bytes).toBeLessThanOrEqual(Math.max(partBytes, 256 * shape.width));
        at += part.buffer.bytes;
      }
      expect(at).toBe(layout.bytes);
      for (const row of rows) {
        const { offset, elements } = layout.places.get(row.local)!;
        if (row.parts === 1) {
          const view = tensorView(store, layout, row.fused ?? row.local);
          expect(view.buffer.bytes).toBeGreaterThanOrEqual(view.offset + view.bytes);
          continue;
        }
        const pieces = tensorRows(store, layout, row.local, row.shape[1]);
        expect(pieces).toHaveLength(row.parts);
        expect(pieces.map(({ first }) => first)).toEqual(pieces.map((_, index) => index * pieces[0].rows));
        expect(pieces.reduce((sum, { rows: held }) => sum + held, 0)).toBe(row.shape[0]);
        expect(viewsOf(store, offset, 4 * elements).map(({ buffer }) => buffer)).toEqual(pieces.map(({ view }) => view.buffer));
        expect(() => tensorView(store, layout, row.local)).toThrow('several buffers');
      }
    }
  });
});

test('GPT-2 and Qwen2.5 under default limits: the parts of their vocabularies, and layers in one buffer', () => {
  const buffers = (name: 'GPT-2 124M' | 'Qwen2.5-0.5B' | 'SmolLM2-135M', block: 'embedding' | 'layer.0'): number[] => {
    const rows = rowsByBlock(parameterTable(SHAPES[name])).get(block)!;
    return makeStore(layoutBlock(rows)).parts.map(({ buffer }) => buffer.bytes);
  };
  // The positions have room behind the last rows of the vocabulary.
  expect(buffers('GPT-2 124M', 'embedding')).toEqual([43_648 * 768 * 4, (50_257 - 43_648 + 1024) * 768 * 4]);
  expect(buffers('SmolLM2-135M', 'embedding')).toEqual([49_152 * 576 * 4]);
  expect(buffers('Qwen2.5-0.5B', 'embedding')).toEqual([...Array<number>(4).fill(37_440 * 896 * 4), (151_936 - 4 * 37_440) * 896 * 4]);
  for (const name of ['GPT-2 124M', 'Qwen2.5-0.5B', 'SmolLM2-135M'] as const) expect(buffers(name, 'layer.0')).toHaveLength(1);
});

describe.each(ODD_NAMES)('%s in the smallest parts', (name) => {
  const shape = SHAPES[name];
  test.each(METHODS)('$name: every dispatch is sound, and the head covers the vocabulary once', (method) => {
    const plan = runPlan(shape, runConfig(shape, method), { partBytes: 1 });
    const segments = everySegment(plan);
    expect(planFaults(plan.allBuffers, segments, plan.capacity, DEFAULT_LIMITS)).toEqual([]);
    const parts = Math.ceil(shape.vocab / 64);
    const evaluation = dispatchesOf(plan.evaluation(plan.capacity));
    expect(evaluation.filter(({ label }) => label === 'head/logits')).toHaveLength(parts);
    expect(evaluation.filter(({ label }) => label === 'embedding train')).toHaveLength(parts);
    const dX = dispatchesOf(microSegments(plan.step(assignments(plan)[0]), plan.capacity)).filter(({ label }) => label === 'head/dX');
    expect(dX.map(({ kernel }) => /ACCUMULATE=(\d)/.exec(kernel.key)?.[1])).toEqual(['0', ...Array<string>(parts - 1).fill('3')]);
  });
});
