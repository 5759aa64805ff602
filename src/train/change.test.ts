import { describe, expect, test } from 'vitest';
import { Change } from './change';

const of = (...values: number[]): Float32Array => Float32Array.from(values);

describe('Change', () => {
  test('is the norm of the difference over the norm before, over all arrays together', () => {
    expect(new Change().add(of(3, 0), of(3, 4)).relative).toBeCloseTo(4 / 3, 12);
    expect(new Change().add(of(3), of(3)).add(of(4), of(1)).relative).toBeCloseTo(3 / 5, 12);
  });

  test('is 0 where nothing moved, and infinite where all was zero before', () => {
    expect(new Change().add(of(1, 2), of(1, 2)).relative).toBe(0);
    expect(new Change().add(of(0), of(0)).relative).toBe(0);
    expect(new Change().add(of(0, 0), of(0, 1)).relative).toBe(Infinity);
  });

  test('sums in float64: small steps of many weights are not lost', () => {
    const n = 1_000_000;
    const step = Math.fround(1 + 2 ** -20) - 1;
    const change = new Change().add(new Float32Array(n).fill(1), new Float32Array(n).fill(1 + step));
    expect(change.relative / step).toBeCloseTo(1, 9);
  });
});
