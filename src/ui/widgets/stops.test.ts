import { expect, it } from 'vitest';
import { BATCH_STOPS, budgetStops, layerStops, lengthStops, nearestStop, periodStops } from './stops';

const ascending = (list: readonly number[]): boolean => list.every((value, i) => i === 0 || value > list[i - 1]);

it('stops ascend, are whole, and end at the most that is allowed', () => {
  for (const max of [1, 2, 8, 17, 512, 1000, 32768]) {
    for (const stops of [layerStops(max), lengthStops(max), periodStops(max)]) {
      expect(ascending(stops), String(stops)).toBe(true);
      expect(stops.every(Number.isInteger)).toBe(true);
      expect(stops.at(-1)).toBe(max);
    }
  }
  expect(periodStops(100)).toEqual([1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100]);
  expect(lengthStops(512)).toEqual([16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]);
  expect(ascending(BATCH_STOPS)).toBe(true);
  expect(BATCH_STOPS.at(-1)).toBe(64);
  expect(ascending(budgetStops(64e6, 256e9))).toBe(true);
});

it('no steps, or half-typed ones, still have a stop', () => {
  expect(periodStops(NaN)).toEqual([1]);
  expect(layerStops(0)).toEqual([1]);
});

it('the nearest stop is by ratio', () => {
  expect(nearestStop([1, 10, 100], 20)).toBe(1);
  expect(nearestStop([1, 10, 100], 40)).toBe(2);
  expect(nearestStop([1, 10, 100], 1e9)).toBe(2);
  expect(nearestStop([1, 10], NaN)).toBe(0);
  expect(nearestStop([1, 10], 0)).toBe(0);
});
