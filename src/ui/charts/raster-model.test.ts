import { describe, expect, it } from 'vitest';
import type { ObservedPeriod } from '../../store/metrics';
import { columnAt, layersTouched, rasterColumns, timesTrained } from './raster-model';

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

describe('rasterColumns', () => {
  const base = {
    schedule: schedule(4, 5, (p) => [p % 3]),
    observed: [],
    layers: 3,
    periodSteps: 5,
    steps: 18,
    step: 0,
    firstStep: 1,
    maxColumns: 150,
  };

  it('is all planned before the start, on the step axis', () => {
    const columns = rasterColumns(base);
    expect(columns.map((c) => c.state)).toEqual(['planned', 'planned', 'planned', 'planned']);
    expect(columns.map((c) => [c.from, c.to])).toEqual([
      [0, 5],
      [5, 10],
      [10, 15],
      [15, 18],
    ]);
    expect(columns.map((c) => [...c.share])).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });

  it('shows what was trained, not what was planned', () => {
    const columns = rasterColumns({ ...base, observed: [seen(0, [2])], step: 7 });
    expect([...(columns[0]?.share ?? [])]).toEqual([0, 0, 1]);
    expect(columns.map((c) => c.state)).toEqual(['done', 'now', 'planned', 'planned']);
  });

  it('marks the part before a checkpoint as known from the schedule only', () => {
    const columns = rasterColumns({ ...base, step: 12, firstStep: 11 });
    expect(columns.map((c) => c.state)).toEqual(['earlier', 'earlier', 'now', 'planned']);
  });

  it('bins many periods, losing none', () => {
    const long = schedule(1000, 2, (p) => [p % 4]);
    const columns = rasterColumns({ ...base, schedule: long, layers: 4, periodSteps: 2, steps: 2000, maxColumns: 150 });
    expect(columns.length).toBeLessThanOrEqual(150);
    expect(columns.at(-1)?.to).toBe(2000);
    const cells = columns.reduce((sum, c) => sum + (c.last - c.first + 1) * c.share.reduce((a, b) => a + b, 0), 0);
    expect(cells).toBeCloseTo(1000, 3);
  });

  it('finds the column of a step', () => {
    const columns = rasterColumns(base);
    expect([1, 5, 6, 18, 19].map((step) => columnAt(columns, step))).toEqual([0, 0, 1, 3, -1]);
  });
});

it('counts periods per layer and layers touched', () => {
  expect([...timesTrained([seen(0, [1, 2]), seen(1, [2])], 4)]).toEqual([0, 1, 2, 0]);
  expect(layersTouched([{ layers: [0, 1] }, { layers: [1] }])).toBe(2);
});
