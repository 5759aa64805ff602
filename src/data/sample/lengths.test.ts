import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthHistogram, lengthStats } from './lengths';

test('median, 95th percentile and largest by nearest rank', () => {
  expect(lengthStats([])).toEqual({ p50: 0, p95: 0, max: 0 });
  expect(lengthStats([5])).toEqual({ p50: 5, p95: 5, max: 5 });
  expect(lengthStats(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({ p50: 50, p95: 95, max: 100 });
});

test('bins have round widths and hold what they say', () => {
  expect(lengthHistogram([1, 3, 3, 9], 4)).toEqual({ bins: [0, 1, 0, 2, 0, 0, 0, 0, 0, 1], width: 1, beyond: 0 });
  const { bins, width } = lengthHistogram([10, 20, 30, 162], 129);
  expect([bins.length, width]).toEqual([17, 10]);
  expect(bins[16]).toBe(1);
});

test('a few very long rows do not press all others into one bin', () => {
  const lengths = [...Array.from({ length: 99 }, (_, i) => 20 + (i % 40)), 100_000];
  const { bins, width, beyond } = lengthHistogram(lengths, 129);
  expect(width).toBeLessThanOrEqual(10);
  expect(beyond).toBe(1);
  expect(bins.filter((count) => count > 0).length).toBeGreaterThan(3);
});

test('the mark is on the axis unless the rows are far shorter', () => {
  const end = (lengths: number[], mark: number): number => {
    const { bins, width } = lengthHistogram(lengths, mark);
    return bins.length * width;
  };
  expect(end([40, 50], 129)).toBeGreaterThan(129);
  expect(end([4, 5], 129)).toBeLessThan(129);
});

test('every length is in its bin or beyond; at most 24 bins', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5000 }), { maxLength: 60 }), fc.integer({ min: 3, max: 4097 }), (lengths, mark) => {
      const { bins, width, beyond } = lengthHistogram(lengths, mark);
      expect(bins.length).toBeLessThanOrEqual(24);
      expect(bins.reduce((sum, count) => sum + count, 0) + beyond).toBe(lengths.length);
      bins.forEach((count, i) => expect(count).toBe(lengths.filter((length) => Math.floor(length / width) === i).length));
    }),
    { numRuns: 300, seed: 5 },
  );
});
