import { describe, expect, test } from 'vitest';
import type { LrSchedule } from './run-config';
import { learningRate, rewarmed } from './learning-rate';

const of = (lrSchedule: LrSchedule, warmup: number, steps: number) => (s: number) =>
  learningRate({ lr: 0.4, lrSchedule, warmup, steps }, s);

describe('warm-up', () => {
  test.each(['constant', 'linear', 'cosine'] as const)('%s: step s of the warm-up has (s + 1) / warmup of the rate', (schedule) => {
    const rate = of(schedule, 4, 20);
    expect([0, 1, 2, 3].map(rate)).toEqual([0.1, 0.2, 0.4 * 0.75, 0.4].map((v) => expect.closeTo(v, 15) as number));
    // The first step after it: progress 0.
    expect(rate(4)).toBe(0.4);
  });

  test('none: the first step has the whole rate', () => {
    for (const schedule of ['constant', 'linear', 'cosine'] as const) expect(of(schedule, 0, 10)(0)).toBe(0.4);
  });

  test('as long as the run: no step lies behind it', () => {
    expect([0, 1, 2].map(of('cosine', 3, 3))).toEqual([0.4 / 3, (0.4 * 2) / 3, 0.4].map((v) => expect.closeTo(v, 15) as number));
  });
});

describe('after the warm-up, progress (s − warmup) / (N − warmup)', () => {
  test('constant', () => {
    expect([2, 7, 9].map(of('constant', 2, 10))).toEqual([0.4, 0.4, 0.4]);
  });

  test('linear to 0', () => {
    expect([2, 4, 6, 9].map(of('linear', 2, 10))).toEqual([0.4, 0.3, 0.2, 0.05].map((v) => expect.closeTo(v, 15) as number));
    expect(of('linear', 2, 10)(10)).toBe(0);
  });

  test('cosine to 0', () => {
    const rate = of('cosine', 2, 10);
    expect(rate(2)).toBe(0.4);
    // A quarter, a half, three quarters of the way: cos 45°, 90°, 135°.
    expect(rate(4)).toBeCloseTo(0.2 * (1 + Math.SQRT1_2), 15);
    expect(rate(6)).toBeCloseTo(0.2, 15);
    expect(rate(8)).toBeCloseTo(0.2 * (1 - Math.SQRT1_2), 15);
    expect(rate(10)).toBe(0);
  });
});

describe('layers that join', () => {
  test('come up to the rate over their first updates', () => {
    expect([0, 1, 2, 3, 4, 50].map((updates) => rewarmed(0.4, updates, 4))).toEqual(
      [0.1, 0.2, 0.3, 0.4, 0.4, 0.4].map((v) => expect.closeTo(v, 15) as number),
    );
  });

  test('0: at the whole rate from the first on', () => {
    expect([0, 1, 7].map((updates) => rewarmed(0.4, updates, 0))).toEqual([0.4, 0.4, 0.4]);
  });
});
