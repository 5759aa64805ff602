import { describe, expect, it } from 'vitest';
import type { ObservedPeriod } from '../../store/run/metrics';
import { RasterModel, stateOf, type RasterInput } from './raster-model';
import { layersTouched } from './raster-size';

const schedule = (periods: number, K: number, layersOf: (period: number) => number[]) =>
  Array.from({ length: periods }, (_, period) => ({ period, firstStep: period * K + 1, layers: layersOf(period) }));

const seen = (period: number, layers: number[]): ObservedPeriod => ({
  period,
  firstStep: 0,
  lastStep: 0,
  layers,
  firstLoss: 0,
  lastLoss: 0,
});

const base: RasterInput = { schedule: schedule(4, 5, (p) => [p % 3]), layers: 3, periodSteps: 5, steps: 18, maxColumns: 150 };
const shares = (model: RasterModel) => model.columns.map(({ share }) => [...share]);
const ages = (model: RasterModel) => model.columns.map(({ age }) => [...age]);

describe('RasterModel', () => {
  it('has the schedule on the step axis before the start', () => {
    const model = new RasterModel(base);
    expect(model.columns.map(({ from, to }) => [from, to])).toEqual([
      [0, 5],
      [5, 10],
      [10, 15],
      [15, 18],
    ]);
    expect(shares(model)).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect([model.planned, model.touched]).toEqual([3, 0]);
  });

  it('knows how long a layer has not been trained, and that it never was', () => {
    expect(ages(new RasterModel(base))).toEqual([
      [0, -1, -1],
      [1, 0, -1],
      [2, 1, 0],
      [0, 2, 1],
    ]);
  });

  it('shows what was trained, not what was planned, and counts it', () => {
    const model = new RasterModel(base);
    const observed = [seen(0, [2])];
    model.follow(observed, []);
    expect(shares(model)[0]).toEqual([0, 0, 1]);
    expect(ages(model)[2]).toEqual([-1, 1, 0]);
    expect(model.layersOf(0)).toEqual([2]);
    observed.push(seen(1, [1]), seen(2, [2]));
    model.follow(observed, []);
    expect([...model.times]).toEqual([0, 1, 2]);
    expect(model.touched).toBe(2);
  });

  it('takes each period and each move once, and says when there is something new', () => {
    const model = new RasterModel(base);
    const observed = [seen(0, [0])];
    const moves = [{ period: 0, layers: [{ layer: 0, change: 0.02 }] }];
    model.follow(observed, moves).follow(observed, moves);
    expect([...model.times]).toEqual([1, 0, 0]);
    expect(model.revision).toBe(1);
    expect(model.columns[0].change[0]).toBeCloseTo(0.02);
    expect(model.columns[1].change[1]).toBeNaN();
    moves.push({ period: 1, layers: [{ layer: 1, change: 0.005 }] });
    model.follow(observed, moves);
    expect(model.revision).toBe(2);
    expect([model.smallest, model.largest]).toEqual([0.005, 0.02]);
  });

  it('bins many periods, losing none, and keeps the largest move of a bin', () => {
    const long = { ...base, schedule: schedule(1000, 2, (p) => [p % 4]), layers: 4, periodSteps: 2, steps: 2000 };
    const model = new RasterModel(long);
    expect(model.columns.length).toBeLessThanOrEqual(150);
    expect(model.columns.at(-1)?.to).toBe(2000);
    const cells = model.columns.reduce((sum, c) => sum + (c.last - c.first + 1) * c.share.reduce((a, b) => a + b, 0), 0);
    expect(cells).toBeCloseTo(1000, 3);
    model.follow(
      [],
      [
        { period: 4, layers: [{ layer: 0, change: 0.01 }] },
        { period: 0, layers: [{ layer: 0, change: 0.03 }] },
      ],
    );
    expect(model.columns[0].change[0]).toBeCloseTo(0.03);
  });

  it('finds the column of a step', () => {
    const model = new RasterModel(base);
    expect([0, 1, 5, 6, 18, 19].map((step) => model.columnAt(step))).toEqual([-1, 0, 0, 1, 3, -1]);
    const long = new RasterModel({ ...base, schedule: schedule(301, 2, () => [0]), periodSteps: 2, steps: 602 });
    for (const step of [1, 6, 7, 600, 602]) {
      const { from, to } = long.columns[long.columnAt(step)];
      expect(step > from && step <= to, `step ${step}`).toBe(true);
    }
  });
});

it('a column is done, going on, to come, or known from the schedule only', () => {
  const { columns } = new RasterModel(base);
  expect(columns.map((column) => stateOf(column, 12, 6))).toEqual(['earlier', 'done', 'now', 'planned']);
  expect(columns.map((column) => stateOf(column, 0, 1))).toEqual(['planned', 'planned', 'planned', 'planned']);
});

it('counts layers touched', () => {
  expect(layersTouched([{ layers: [0, 1] }, { layers: [1] }])).toBe(2);
});
