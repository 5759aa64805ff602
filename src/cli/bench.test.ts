// The parts of the benchmarks that can be wrong without a GPU: options, tables, random weights, and what a dispatch is called.

import { describe, expect, test } from 'vitest';
import { BUILTIN_MODEL, DEFAULTS } from '../config/run-config';
import { parameterTable } from '../model/parameters';
import { elementsOf } from '../model/types';
import { planInput } from '../plan/input';
import { RunPlan } from '../plan/run-plan';
import { microSegments } from '../plan/step-plan';
import { benchBatch, benchModel, MODEL_IDS, randomWeights } from './bench/models';
import { batchOf, parseBenchOptions } from './bench/options';
import { digits, median, table } from './bench/print';
import { describeProfile, purposeOf, shapeOf } from './bench/profile';

describe('options', () => {
  test('without any: profile, compare, other libraries and encoding', () => {
    expect([...parseBenchOptions([]).sections]).toEqual(['profile', 'compare', 'peers', 'encode']);
  });

  test('sections, models and sizes', () => {
    const options = parseBenchOptions(['--peers', '--model', 'gpt2-124m,wordsmith-2m', '--seq-len', '9']);
    expect([...options.sections]).toEqual(['peers']);
    expect(options.models).toEqual(['gpt2-124m', 'wordsmith-2m']);
    expect(batchOf(options, { batchSize: 4, seqLen: 63 })).toEqual({ batchSize: 4, seqLen: 9 });
  });

  test.each([['--model', 'gpt5'], ['--reps', '0'], ['--seq-len', '1.5'], ['--clock', 'sun'], ['--nonsense'], ['stray']])(
    '%s %s is refused',
    (...args) => {
      expect(() => parseBenchOptions(args.filter((arg) => arg !== undefined))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});

test('median', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('digits', () => {
  expect([0.1234, 12.345, 123.45, 12345, NaN].map(digits)).toEqual(['0.123', '12.35', '123.5', '12345', '-']);
});

test('a table aligns numbers to the right', () => {
  expect(
    table(
      ['a', 'number'],
      [
        ['x', '1.5'],
        ['yy', '10.5'],
      ],
    ),
  ).toBe('a   number\n--  ------\nx      1.5\nyy    10.5');
});

test('a profile adds up the dispatches of each kernel, and the slowest kernel comes first', () => {
  const row = (kernel: string, purpose: string, ms: number) => ({
    ...{ kernel, purpose, shape: '2×3×4', count: 2, flops: 4e6, bytes: 2e6, ms },
    gflops: 4 / ms,
    gbytes: 2 / ms,
  });
  const told = describeProfile({
    ...{
      model: 'm',
      method: 'lisa',
      layers: [1, 3],
      tokens: 60,
      clock: 'timestamps',
      repetitions: 3,
      wallMs: [20, 18, 25],
      wallMedianMs: 20,
    },
    ...{ tokensPerSecond: 3000, kernelMs: 16, flops: 12e6, bytes: 6e6 },
    rows: [row('norm', 'ln fwd', 2), row('matmul', 'up fwd', 6), row('matmul', 'up dX', 8)],
  });
  const [title, wall] = told.split('\n');
  expect(title).toBe('m, lisa, layers 1 and 3 in training: one step of 60 tokens, 3 repetitions, clock: timestamps');
  expect(wall).toContain('20.00 ms (18.00 to 25.00)');
  const byKernel = told.split('\n\n')[1].split('\n').slice(2);
  // Kernel, count, MFLOP, MB, ms, share, GFLOP/s, GB/s.
  expect(byKernel.map((line) => line.trim().split(/\s{2,}/))).toEqual([
    ['matmul', '4', '8.000', '4.000', '14.00', '87.5 %', '0.571', '0.286'],
    ['norm', '2', '4.000', '2.000', '2.000', '12.5 %', '2.000', '1.000'],
  ]);
});

test('random weights: norms are one, biases zero, matrices have a standard deviation of 0.02, and pieces are cuts of the whole', async () => {
  const values = randomWeights();
  const again = randomWeights();
  for (const id of ['nano-gpt2', 'mid-llama']) {
    const { shape } = await benchModel(id);
    const seen = new Set<number>();
    for (const [index, row] of parameterTable(shape).entries()) {
      const count = Math.min(elementsOf(row), 5000);
      const whole = values(row, index, 0, count);
      expect(whole.length).toBe(count);
      if (row.role === 'norm' || row.role === 'bias') {
        expect(new Set(whole), row.name).toEqual(new Set([row.role === 'norm' && row.local.endsWith('weight') ? 1 : 0]));
        continue;
      }
      expect(Math.sqrt(whole.reduce((sum, w) => sum + w * w, 0) / count), row.name).toBeCloseTo(0.02, 3);
      expect(again(row, index, 100, 300)).toEqual(whole.subarray(100, 300));
      seen.add(whole[0]);
    }
    // No two matrices of a model begin alike.
    expect(seen.size).toBe(parameterTable(shape).filter(({ role }) => role !== 'norm' && role !== 'bias').length);
  }
});

// The built-in model is beside the built program, not beside this source.
test.each(MODEL_IDS.filter((id) => id !== BUILTIN_MODEL))(
  '%s: the names of the products of a full step, and FLOPs that follow from their shapes',
  async (id) => {
    const { shape, batch } = await benchModel(id);
    const { extents } = benchBatch(shape, batch.software);
    const plan = new RunPlan(planInput(shape, { ...DEFAULTS, ...batch.software, method: 'full' }));
    const step = plan.step(new Map(Array.from({ length: shape.layers }, (_, i) => [i, i])));
    const products = microSegments(step, extents)
      .flatMap(({ dispatches }) => dispatches)
      .filter(({ kernel }) => kernel.name.startsWith('matmul'));
    expect(new Set(products.map(purposeOf))).toEqual(
      new Set([
        ...['qkv', 'mid', 'up', 'out'].flatMap((op) => ['fwd', 'dX', 'dW'].map((what) => `${op} ${what}`)),
        'head/logits',
        'head/dX',
        'head/dW',
      ]),
    );
    for (const product of products) {
      const [m, n, k] = shapeOf(product, extents).split('×').map(Number);
      const { flops } = product.work;
      expect((flops.rows ?? 0) * extents.rows + (flops.targets ?? 0) * extents.targets + (flops.one ?? 0), purposeOf(product)).toBe(
        2 * m * n * k,
      );
    }
  },
);
