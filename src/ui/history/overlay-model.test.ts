import { describe, expect, it } from 'vitest';
import { RunMetrics } from '../../store/run/metrics';
import { MOST_SELECTED } from '../../store/history/history';
import { preparedOf, runConfig, stepOf } from '../../testing/run-events';
import { DASHES, MARKERS, overlay } from './overlay-model';

function metricsOf(steps: number, loss: (step: number) => number): RunMetrics {
  const config = runConfig();
  const prepared = preparedOf(config);
  const metrics = new RunMetrics(null);
  const like = stepOf(prepared, config, 1);
  for (let step = 1; step <= steps; step++) metrics.push({ ...like, step, loss: loss(step) });
  return metrics;
}

const numbersOf = (path: string): number[] => path.match(/-?\d+(\.\d+)?/g)?.map(Number) ?? [];

describe('overlay', () => {
  const runs = [
    { name: 'a', style: 0, metrics: metricsOf(100, () => 4), evals: [{ step: 0, loss: 5 }] },
    { name: 'b', style: 3, metrics: metricsOf(50, () => 2), evals: [{ step: 50, loss: NaN }] },
  ];

  it('puts all runs on the same axes', () => {
    const { curves, yTicks, xTicks } = overlay(runs, 500, 200);
    expect(Math.max(...numbersOf(curves[0].path))).toBe(500);
    expect(curves[1].path).toMatch(/L250 /);
    expect(yTicks[0].y).toBe(200);
    expect(yTicks.at(-1)?.y).toBe(0);
    expect(xTicks[0]).toEqual({ step: 0, x: 0 });
    expect(curves[0].marks).toEqual([{ x: 0, y: yTicks.find(({ value }) => value === 5)?.y, step: 0, loss: 5 }]);
    // What is no number has no mark.
    expect(curves[1].marks).toEqual([]);
  });

  it('draws a long run with no more points than pixels', () => {
    const long = overlay([{ name: 'l', style: 0, metrics: metricsOf(20_000, (step) => 3 + Math.sin(step)), evals: [] }], 300, 100);
    expect(long.curves[0].path.match(/[LMV]/g)?.length).toBeLessThan(610);
  });

  it('has a dash and a marker of its own for every run that can be chosen', () => {
    expect(new Set(DASHES).size).toBe(MOST_SELECTED);
    expect(new Set(MARKERS).size).toBe(MOST_SELECTED);
  });
});
