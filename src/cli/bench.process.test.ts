// The parts of the benchmarks that can be wrong without a GPU: options, medians, and what a dispatch is called.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BUILTIN_MODEL, DEFAULTS } from '../config/run-config';
import { planInput } from '../plan/input';
import { RunPlan } from '../plan/run-plan';
import { microSegments } from '../plan/step-plan';
import { benchBatch, benchModel, MODEL_IDS } from './bench/models';
import { batchOf, parseBenchOptions } from './bench/options';
import { installPeers } from './bench/peers';
import { digits, median, table } from './bench/print';
import { purposeOf, shapeOf } from './bench/profile';

test('other libraries that cannot be installed give one sentence, not a crash', async () => {
  // No package.json there: npm fails at once, without a network.
  const folder = mkdtempSync(join(tmpdir(), 'lisa-peers-'));
  try {
    const missing = await installPeers(folder);
    expect(missing).toMatchObject({ code: 'STORAGE' });
    expect(missing!.message.split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'node_modules'))).toBe(false);
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), '{}');
    expect(await installPeers(folder)).toBeNull();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('options', () => {
  test('without any: profile, compare and other libraries', () => {
    expect([...parseBenchOptions([]).sections]).toEqual(['profile', 'compare', 'peers']);
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
