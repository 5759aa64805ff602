// Embedding and head of which only the rows of the data's tokens train: what they take to the byte, and that the steps are sound.

import { describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { bytesByCategory } from '../dispatch/memory';
import { planFaults } from '../dispatch/validate';
import { closedForm } from '../testing/closed-form';
import { assignments, dispatchesOf, everySegment, METHODS, runConfig, stepSegments, viewsBy } from '../testing/plans';
import { ODD_NAMES, SHAPES, type ShapeName } from '../testing/shapes';
import { forecast, trainableParameters } from './forecast';
import { termBytes } from './forecast-formula';
import { KERNEL_CHOICES, planInput } from './input';
import { RunPlan } from './run-plan';

const GAMMA_2 = METHODS.find(({ name }) => name === 'LISA γ=2')!;
const BY_ROWS: Partial<RunConfig> = { lisaEmbedding: 'rows', lisaHead: 'rows' };

interface Case {
  readonly changes?: Partial<RunConfig>;
  readonly types?: 'f32' | 'f16';
  readonly dataTokens?: number;
  readonly shardBytes?: number;
}

function planned(name: ShapeName, { changes = BY_ROWS, types = 'f32', dataTokens = 23, shardBytes }: Case = {}) {
  const shape = SHAPES[name];
  const config = runConfig(shape, GAMMA_2, { weightStorage: types === 'f32' ? 'f32' : 'stored', ...changes });
  const plan = new RunPlan(planInput(shape, config, { dataTokens, types, shardBytes }));
  return { shape, config, plan };
}

describe.each(ODD_NAMES)('%s', (name) => {
  const cases: readonly (readonly [string, Case])[] = [
    ['f32', {}],
    ['16 bits', { types: 'f16' }],
    ['cut early', { shardBytes: 64 * SHAPES[name].width * 4, dataTokens: 70 }],
    ['the embedding alone', { changes: { lisaEmbedding: 'rows', lisaHead: SHAPES[name].tied ? null : 'on' } }],
    ['the head alone', { changes: { lisaEmbedding: SHAPES[name].tied ? null : 'off', lisaHead: 'rows' }, types: 'f16' }],
  ];

  test.each(cases)('%s: bytes equal the closed form, and every segment is valid', (_, of) => {
    const { plan, shape, config } = planned(name, of);
    const { slots, lowest, alwaysOn, trainedRows, rows, seqLen, cacheTokens, shardBytes, method } = plan.input;
    expect(trainedRows.count).toBe(Math.min(of.dataTokens ?? 23, shape.vocab));
    const structs = KERNEL_CHOICES.map((kernels) => {
      const other = new RunPlan({ ...plan.input, kernels });
      return new Set(dispatchesOf(everySegment(other)).map(({ params }) => String.fromCharCode(...params))).size;
    });
    const halves = of.types === 'f16';
    const numbers = { shape, method, slots, lowest, alwaysOn, trainedRows, rank: 0, rows, seqLen, cacheTokens, shardBytes, halves };
    const want = closedForm({ ...numbers, paramSlots: Math.max(...structs) });
    expect(bytesByCategory(plan.allBuffers)).toEqual(want);
    expect(planFaults(plan.allBuffers, everySegment(plan), plan.capacity, DEFAULT_LIMITS)).toEqual([]);
    if (of.shardBytes !== undefined) return;
    const shown = forecast(shape, config, of.types, of.dataTokens ?? 23);
    expect(shown.bytes).toEqual(want);
    for (const { bytes, formula } of shown.parts) expect(formula.reduce((sum, term) => sum + termBytes(term), 0)).toBe(bytes);
  });

  test('only rows that train are updated: the matrix of the vocabulary is bound for reading', () => {
    const { plan, shape } = planned(name, { types: 'f16' });
    const tables = [...plan.buffers.blocks]
      .filter(([block]) => block === 'embedding' || block === 'head')
      .map(([, { weights }]) => weights);
    for (const dispatch of dispatchesOf(stepSegments(plan.step(assignments(plan)[1]), plan))) {
      for (const { buffer, bytes } of viewsBy(dispatch, 'read_write')) {
        if (!tables.some(({ shards }) => shards.some(({ view }) => view.buffer === buffer))) continue;
        // GPT-2's positions of T = 19, and one more: the optimizer takes four elements at a time, and rows have 39.
        expect([dispatch.kernel.name, bytes]).toEqual(['adamw', 20 * shape.width * 4]);
      }
    }
  });
});

test('gradients, optimizer state and masters: 16 bytes for each parameter of two layers, the rows and the norm', () => {
  for (const name of ['SmolLM2-135M', 'Qwen2.5-0.5B'] as const) {
    const { plan, shape } = planned(name, { types: 'f16', dataTokens: 4096 });
    const { gradients, optimizer, masters } = bytesByCategory(plan.allBuffers);
    const layer = plan.buffers.slots[0].layout.parameters;
    expect(gradients + optimizer + masters).toBe(16 * (2 * layer + 4096 * shape.width + shape.width));
    expect(
      trainableParameters(
        plan,
        new Map([
          [0, 0],
          [1, 1],
        ]),
      ),
    ).toBe(2 * layer + 4096 * shape.width + shape.width);
  }
});

test('data that uses the whole vocabulary, or that nobody has counted, trains whole matrices', () => {
  const { plan, shape, config } = planned('odd GPT-2, untied', { dataTokens: 10_000 });
  const on = forecast(shape, { ...config, lisaEmbedding: 'on', lisaHead: 'on' });
  expect(bytesByCategory(plan.allBuffers)).toEqual(on.bytes);
  expect(forecast(shape, config)).toEqual(on);
});
