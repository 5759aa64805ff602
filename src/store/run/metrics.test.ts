import { describe, expect, it } from 'vitest';
import { zeroBytes } from '../../dispatch/memory';
import type { StepMetrics } from '../../train/events';
import { Column, EMA_DECAY, MovingAverage } from './columns';
import { groupBytes, RunMetrics } from './metrics';

const step = (at: number, loss: number, activeLayers: number[] = [0], total = 100): StepMetrics => ({
  step: at,
  loss,
  lr: 1e-3,
  gradNorm: 1,
  tokens: 10,
  targets: 5,
  activeLayers,
  stepMs: 20,
  memory: { ...zeroBytes(), weights: total, total },
});

describe('RunMetrics', () => {
  it('columns grow past their first block', () => {
    const column = new Column();
    for (let i = 0; i < 1000; i++) column.push(i);
    expect(column.length).toBe(1000);
    expect(column.last).toBe(999);
    expect(column.at(1000)).toBeNaN();
    expect(column.values()).toEqual(Float64Array.from({ length: 1000 }, (_, i) => i));
  });

  it('the moving average is debiased, follows its column, and ignores NaN', () => {
    const loss = new Column([4]);
    const average = new MovingAverage(loss);
    expect(average.follow().last).toBeCloseTo(4, 12);
    loss.push(2);
    expect(average.follow().last).toBeCloseTo((EMA_DECAY * 4 + 2) / (EMA_DECAY + 1), 12);
    const before = average.column.last;
    loss.push(NaN);
    expect(average.follow().last).toBe(before);
    for (let i = 3; i < 400; i++) loss.push(2);
    expect(average.follow().last).toBeCloseTo(2, 6);
    expect(average.column.length).toBe(loss.length);
    expect([...new MovingAverage(loss, 0).follow().values()].slice(0, 2)).toEqual([4, 2]);
  });

  it('notes periods as they were trained, and the peak', () => {
    const metrics = new RunMetrics(2);
    metrics.push(step(1, 4, [3, 1], 100));
    metrics.push(step(2, 3, [3, 1], 300));
    metrics.push(step(3, 2, [0, 1], 200));
    expect(metrics.periods).toEqual([
      { period: 0, firstStep: 1, lastStep: 2, layers: [3, 1], firstLoss: 4, lastLoss: 3 },
      { period: 1, firstStep: 3, lastStep: 3, layers: [0, 1], firstLoss: 2, lastLoss: 2 },
    ]);
    expect(metrics.peak?.total).toBe(300);
    const full = new RunMetrics(null);
    full.push(step(1, 4));
    expect(full.periods).toEqual([]);
  });

  it('comes back from a snapshot as it was, and continues from there', () => {
    const metrics = new RunMetrics(2);
    for (let i = 1; i <= 300; i++) metrics.push(step(i, 1 / i, [i % 4], 100 + (i % 7)));
    metrics.noteMoved(0, [{ layer: 1, change: 0.01 }]);
    metrics.noteMoved(0, [{ layer: 2, change: 0.02 }]);
    const back = RunMetrics.restore(structuredClone(metrics.snapshot()));
    expect(back.snapshot()).toEqual(metrics.snapshot());
    expect(back.peak).toEqual(metrics.peak);
    expect(back.moved).toEqual(metrics.moved);
    const kept = metrics.snapshot();
    for (const each of [metrics, back]) each.push(step(301, 0.5, [3], 200));
    expect(back.snapshot()).toEqual(metrics.snapshot());
    expect(back.peak?.total).toBe(200);
    expect(kept.columns.step).toHaveLength(300);
  });

  it('groups lose no byte', () => {
    const bytes = Object.fromEntries(Object.keys(zeroBytes()).map((name, i) => [name, 10 ** i])) as ReturnType<typeof zeroBytes>;
    const groups = groupBytes(bytes);
    expect(Object.values(groups).reduce((a, b) => a + b, 0)).toBe(Object.values(bytes).reduce((a, b) => a + b, 0));
    expect(groups.weights).toBe(bytes.weights + bytes.masters);
  });
});
