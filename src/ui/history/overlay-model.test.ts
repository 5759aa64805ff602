import { describe, expect, it } from 'vitest';
import { RunMetrics } from '../../store/run/metrics';
import { MOST_SELECTED } from '../../store/history/history';
import { preparedOf, runConfig, stepOf } from '../../testing/run-events';
import { DASHES, lastLoss, MARKERS, overlayRows } from './overlay-model';

function metricsOf(steps: number, loss: (step: number) => number, first = 1): RunMetrics {
  const config = runConfig();
  const prepared = preparedOf(config);
  const metrics = new RunMetrics(null);
  const like = stepOf(prepared, config, 1);
  for (let step = first; step < first + steps; step++) metrics.push({ ...like, step, loss: loss(step) });
  return metrics;
}

describe('overlay', () => {
  const runs = [
    { name: 'a', style: 0, metrics: metricsOf(100, () => 4), evals: [] },
    { name: 'b', style: 3, metrics: metricsOf(50, () => 2, 11), evals: [] },
  ];

  it('has each run at the steps that it made, and nowhere else', () => {
    const rows = overlayRows(runs);
    expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(rows.filter(({ loss0 }) => loss0 === 4)).toHaveLength(100);
    expect(rows.filter(({ loss3 }) => loss3 === 2).map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i + 11));
    expect(lastLoss(runs[1])).toBe(2);
    expect(overlayRows([])).toEqual([]);
  });

  it('draws a long run with few points, and keeps the last step of a short one beside it', () => {
    const long = { name: 'l', style: 0, metrics: metricsOf(2_000, (step) => 3 + Math.sin(step)), evals: [] };
    const rows = overlayRows([long, { name: 's', style: 1, metrics: metricsOf(7, () => 1), evals: [] }]);
    expect(rows.length).toBeLessThanOrEqual(301);
    expect(rows.find(({ step }) => step === 7)?.loss1).toBe(1);
    expect(rows.at(-1)?.step).toBe(2_000);
  });

  it('leaves out what is not a number', () => {
    const [row] = overlayRows([{ name: 'n', style: 2, metrics: metricsOf(1, () => NaN), evals: [] }]);
    expect(row).toEqual({ step: 1 });
  });

  it('has a dash and a marker of its own for every run that can be chosen', () => {
    expect(new Set(DASHES).size).toBe(MOST_SELECTED);
    expect(new Set(MARKERS).size).toBe(MOST_SELECTED);
  });
});
