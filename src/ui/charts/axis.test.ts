import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis, logTicks, stepTicks, valueTicks } from './axis';

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

it('log ticks are round and within the bounds', () => {
  expect(logTicks(0.5, 60, 6)).toEqual([0.5, 1, 2, 5, 10, 20, 50]);
  expect(logTicks(1e-6, 100, 4)).toEqual([1e-6, 1e-3, 1]);
  for (const tick of logTicks(2.1, 4.3, 5)) expect(tick >= 2.1 && tick <= 4.3).toBe(true);
  expect(logTicks(2.1, 4.3, 5).length).toBeGreaterThan(2);
});

describe('axes of values', () => {
  it('a linear one has round bounds and no marks while there is nothing', () => {
    const axis = linearAxis(2.13, 4.87, 4);
    expect([axis.share(2), axis.share(5), axis.share(3.5)]).toEqual([0, 1, 0.5]);
    expect(linearAxis(Infinity, -Infinity, 4).ticks).toEqual([]);
  });

  it('a log one holds the data, gives equal factors equal room, and seldom changes', () => {
    const axis = logAxis(2, 8, 4);
    expect(axis.share(2)).toBeGreaterThanOrEqual(0);
    expect(axis.share(8)).toBeLessThanOrEqual(1);
    expect(axis.share(4) - axis.share(2)).toBeCloseTo(axis.share(8) - axis.share(4), 12);
    expect(axis.share(0)).toBeNaN();
    expect(logAxis(2.01, 7.99, 4).low).toBe(axis.low);
    expect(logAxis(3, 3, 4).share(3)).toBeLessThanOrEqual(1);
    expect(logAxis(Infinity, -Infinity, 4).ticks).toEqual([]);
  });
});
