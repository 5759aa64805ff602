import { describe, expect, it } from 'vitest';
import { RasterModel } from './raster-model';
import { columnOfKey } from './RasterPlot';
import { describeColumn, rasterSummary, type RasterRun } from './raster-words';

const K = 10;
const layersOf = (period: number): number[] => [(period * 3) % 8, (period * 3 + 5) % 8];
const schedule = Array.from({ length: 20 }, (_, period) => ({ period, firstStep: period * K + 1, layers: layersOf(period) }));
const observed = Array.from({ length: 7 }, (_, period) => ({
  period,
  firstStep: period * K + 1,
  lastStep: (period + 1) * K,
  layers: layersOf(period),
  firstLoss: 2.31,
  lastLoss: 2.24,
}));

function runWith(maxColumns: number): RasterRun {
  const moves = [
    {
      period: 6,
      layers: [
        { layer: 7, change: 0.0112 },
        { layer: 2, change: 0.008 },
      ],
    },
  ];
  const model = new RasterModel({ schedule, layers: 8, periodSteps: K, steps: 200, maxColumns }).follow(observed, moves);
  return { model, observed, moved: new Map(moves.map(({ period, layers }) => [period, layers])), step: 70, firstStep: 1 };
}

describe('describeColumn', () => {
  it('tells a period: its steps, layers, loss and moves, layer by layer', () => {
    const run = runWith(150);
    expect(describeColumn(run.model.columns[6], run)).toBe(
      'Period 7, steps 61–70: layers 2 and 7, loss 2.310 → 2.240, moved 0.8 % and 1.1 %.',
    );
    expect(describeColumn(run.model.columns[5], run)).not.toContain('moved');
    expect(describeColumn(run.model.columns[7], run)).toBe('Period 8, steps 71–80, scheduled: layers 2 and 5.');
  });

  it('tells a bin of periods', () => {
    const run = runWith(5);
    expect(describeColumn(run.model.columns[1], run)).toMatch(
      /^Periods 5–8, steps 41–80, now: \d of 8 layers, moved up to 1\.1 % in a period\.$/,
    );
  });
});

it('sums the raster up, before and during a run', () => {
  const run = runWith(150);
  expect(rasterSummary(run)).toBe(
    'Layers trained by period: 7 of 20 periods over 200 steps, step 70; 8 of 8 layers trained at least once so far.',
  );
  expect(rasterSummary({ ...run, observed: [] })).toBe('Schedule: 20 periods over 200 steps; 8 of 8 layers will be trained at least once.');
});

it('keys go from period to period', () => {
  expect(columnOfKey('ArrowRight', false, -1, 6, 20)).toBe(6);
  expect(columnOfKey('ArrowRight', false, 6, 6, 20)).toBe(7);
  expect(columnOfKey('ArrowLeft', true, 6, 6, 20)).toBe(0);
  expect(columnOfKey('Home', false, 6, 6, 20)).toBe(0);
  expect(columnOfKey('End', false, 6, 6, 20)).toBe(19);
  expect(columnOfKey('x', false, 6, 6, 20)).toBeUndefined();
});
