import { expect, it } from 'vitest';
import { stepTicks, valueTicks } from './axis';

it('step ticks are round, start at 0 and never pass the end', () => {
  expect(stepTicks(6, 6)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(stepTicks(100, 6)).toEqual([0, 20, 40, 60, 80, 100]);
  expect(stepTicks(130, 5)).toEqual([0, 50, 100]);
  expect(stepTicks(1, 8)).toEqual([0, 1]);
});

it('value ticks enclose the data', () => {
  expect(valueTicks(2.13, 4.87, 4)).toEqual([2, 3, 4, 5]);
  expect(valueTicks(0, 52.9e6, 4)).toEqual([0, 20e6, 40e6, 60e6]);
  const same = valueTicks(3, 3, 4);
  expect(same[0]).toBeLessThanOrEqual(3);
  expect(same.at(-1)).toBeGreaterThanOrEqual(3);
  expect(valueTicks(NaN, NaN, 4)).toEqual([0, 1]);
});
