import { describe, expect, it } from 'vitest';
import { Column } from '../../store/run/columns';
import { Distribution } from './distribution';
import { lossRange } from './loss-range';

const spreadOf = (values: readonly number[]): Distribution => new Distribution(new Column(values)).follow();

describe('Distribution', () => {
  const values = Array.from({ length: 10_000 }, (_, i) => 1 + ((i * 7919) % 10_000) / 10_000);

  it('bounds leave out exactly what they say they leave out', () => {
    for (const share of [0, 0.001, 0.01, 0.1]) {
      const spread = spreadOf(values);
      const { low, high, outside } = spread.within(share);
      const above = (value: number): boolean => (high < spread.high ? value >= high : value > high);
      expect(values.filter((value) => value < low || above(value)).length, `share ${share}`).toBe(outside);
      expect(outside).toBeLessThanOrEqual(2 * share * values.length);
    }
  });

  it('percentiles are within the width of a class', () => {
    const { low, high } = spreadOf(values).within(0.1);
    expect(low / 1.1).toBeGreaterThan(0.98);
    expect(low / 1.1).toBeLessThanOrEqual(1.001);
    expect(high / 1.9).toBeLessThan(1.02);
    expect(high / 1.9).toBeGreaterThanOrEqual(0.999);
  });

  it('follows its column, and leaves out what is no number', () => {
    const column = new Column([2, NaN, 3]);
    const spread = new Distribution(column).follow();
    expect([spread.low, spread.high, spread.count]).toEqual([2, 3, 2]);
    column.push(0);
    column.push(40);
    spread.follow();
    expect([spread.low, spread.positiveLow, spread.high, spread.count]).toEqual([0, 2, 40, 4]);
  });
});

describe('lossRange', () => {
  const losses = Array.from({ length: 1000 }, (_, i) => (i === 400 ? 40 : 2 + (i % 10) / 10));
  const evals = [
    { step: 0, loss: 4.2 },
    { step: 500, loss: 2.2 },
  ];

  it('shows everything unless asked otherwise', () => {
    expect(lossRange(spreadOf(losses), evals, false, false)).toEqual({ low: 2, high: 40, outside: 0 });
    expect(lossRange(spreadOf([3]), [{ step: 0, loss: NaN }], false, false)).toEqual({ low: 3, high: 3, outside: 0 });
  });

  it('leaves out the spike, and counts it and the evaluation that is outside', () => {
    const { high, outside } = lossRange(spreadOf(losses), evals, true, false);
    expect(high).toBeLessThan(3.1);
    expect(outside).toBe(2);
  });

  it('a log axis starts above zero', () => {
    expect(lossRange(spreadOf([0, 2, 3]), [], false, true)).toEqual({ low: 2, high: 3, outside: 0 });
    expect(lossRange(spreadOf([]), [], true, true).low).toBe(Infinity);
  });
});
