import { describe, expect, it } from 'vitest';
import { Column } from '../../store/run/columns';
import { linearAxis, logAxis } from './axis';
import { LinePath, stairsPath, yOf } from './path';
import { PixelSeries } from './pixel-series';

function seriesOf(values: readonly number[], steps: number, width: number): PixelSeries {
  const at = new Column();
  values.forEach((_, i) => at.push(i + 1));
  return new PixelSeries(at, new Column(values), { steps, width }).follow();
}

/** Points of a path of M and L. */
const pointsOf = (path: string): number[][] => [...path.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe('PixelSeries', () => {
  it('keeps every point that has a pixel of its own', () => {
    const series = seriesOf([3, 1, 2], 3, 300);
    expect(series.count).toBe(3);
    expect([...series.x.subarray(0, 3)]).toEqual([100, 200, 300]);
    expect([...series.last.subarray(0, 3)]).toEqual([3, 1, 2]);
  });

  it('keeps a spike of one step, up or down, wherever it is, and says where', () => {
    for (const at of [0, 777, 4998, 4999]) {
      for (const spike of [9, -9]) {
        const values = Array.from({ length: 5000 }, (_, i) => (i === at ? spike : 1 + (i % 7) / 10));
        const series = seriesOf(values, 5000, 100);
        expect(series.count).toBeLessThanOrEqual(101);
        const kept = spike > 0 ? series.high : series.low;
        expect(kept.subarray(0, series.count).includes(spike)).toBe(true);
        if (spike > 0) expect(series.highestAt.subarray(0, series.count).includes(at)).toBe(true);
      }
    }
  });

  it('is the same whether it followed step by step or all at once, and leaves out what is no number', () => {
    const values = Array.from({ length: 3000 }, (_, i) => (i % 100 === 13 ? NaN : Math.sin(i / 40) + (i % 11) / 20));
    const whole = seriesOf(values, 4000, 250);
    const steps = new Column();
    const column = new Column();
    const grown = new PixelSeries(steps, column, { steps: 4000, width: 250 });
    const path = new LinePath(grown, (value) => value * 10);
    values.forEach((value, i) => {
      steps.push(i + 1);
      column.push(value);
      if (i % 7 === 0) path.follow();
    });
    const drawn = path.follow();
    expect(drawn).toBe(new LinePath(whole, (value) => value * 10).follow());
    expect([...grown.high]).toEqual([...whole.high]);
    expect(drawn).not.toContain('NaN');
  });

  it('counts from the first step of a run that went on', () => {
    const series = new PixelSeries(new Column([51, 52]), new Column([1, 2]), { steps: 100, width: 200 }).follow();
    expect([...series.x.subarray(0, 2)]).toEqual([102, 104]);
  });
});

describe('paths', () => {
  it('a line goes through first, extremes in their order, and last', () => {
    const series = seriesOf([5, 9, 1, 6], 4000, 10);
    expect(series.count).toBe(1);
    const y = yOf(linearAxis(0, 10, 2), 100);
    expect(pointsOf(new LinePath(series, y).follow()).map(([, py]) => py)).toEqual([50, 10, 90, 40]);
  });

  it('a single point is a dot, none is nothing', () => {
    const y = yOf(linearAxis(0, 10, 2), 100);
    expect(new LinePath(seriesOf([5], 100, 100), y).follow()).toBe('M1 50h0');
    expect(new LinePath(seriesOf([], 100, 100), y).follow()).toBe('');
  });

  it('leaves out what a log axis cannot show', () => {
    const y = yOf(logAxis(0.1, 10, 4), 100);
    const points = pointsOf(new LinePath(seriesOf([0, 1, 10], 3, 300), y).follow());
    expect(points.map(([px]) => px)).toEqual([200, 300]);
  });

  it('values far outside stay near the plot', () => {
    const y = yOf(linearAxis(0, 1, 2), 100);
    expect(y(1e9)).toBeGreaterThan(-100);
    expect(y(-1e9)).toBeLessThan(200);
  });

  it('stairs hold each value from the x before to its own, and say a level once', () => {
    expect(stairsPath(0, [10, 20, 30], [5, 5, 8], 100)).toBe('M0 100V5H20V8H30V100Z');
    expect(stairsPath(0, [], [], 100)).toBe('');
  });
});
