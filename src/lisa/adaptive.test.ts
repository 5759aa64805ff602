import { expect, it } from 'vitest';
import { AdaptiveImportance, adaptiveTurns } from './adaptive';
import { drawPeriod, rateCorrections, type ScheduleConfig } from './schedule';

const CONFIG: ScheduleConfig = { layers: 4, gamma: 1, period: 5, steps: 100, seed: 3, sampler: 'weighted', weights: null, adapts: true };

it('draws equally until a layer is measured, then by the means, and unmeasured layers count as the mean of the others', () => {
  const importance = new AdaptiveImportance(CONFIG);
  const equal = [0.25, 0.25, 0.25, 0.25];
  expect(importance.at(0).layers).toEqual(drawPeriod({ ...CONFIG, weights: equal }, 0));
  expect(importance.weights).toEqual(equal);
  importance.note(1, 2);
  importance.note(1, 4);
  importance.note(3, 1);
  // Not a number and not finite: a step that failed.
  importance.note(0, NaN);
  importance.note(0, Infinity);
  const { layers } = importance.at(1);
  // Means 3 and 1; the others count as 2.
  const weights = [2 / 8, 3 / 8, 2 / 8, 1 / 8];
  importance.weights.forEach((p, layer) => expect(p).toBeCloseTo(weights[layer], 14));
  expect(layers).toEqual(drawPeriod(CONFIG, 1, importance.weights));
  // A period that has begun stays as it was drawn.
  importance.note(0, 1000);
  expect(importance.at(1).layers).toEqual(layers);
  expect(importance.periods.map(({ firstStep }) => firstStep)).toEqual([1, 6]);
  expect(() => importance.at(3)).toThrowError(expect.objectContaining({ code: 'INTERNAL' }));
});

it('a profile holds until something is measured', () => {
  const importance = new AdaptiveImportance({ ...CONFIG, weights: [1, 1, 1, 5] });
  importance.at(0);
  expect(importance.weights[3]).toBeCloseTo(5 / 8, 14);
});

it.each([0, 1, 7, 20])('restored after %i periods from JSON, it goes on as if nothing had happened', (periods) => {
  const measured = (period: number, layer: number): number => 1 + ((period * 7 + layer * 3) % 11) / 10;
  const run = (importance: AdaptiveImportance, from: number, to: number): number[][] =>
    Array.from({ length: to - from }, (_, i) => {
      const { layers } = importance.at(from + i);
      for (const layer of layers) importance.note(layer, measured(from + i, layer));
      return [...layers];
    });
  for (const sampler of ['weighted', 'algorithm1', 'bernoulli'] as const) {
    const config = { ...CONFIG, sampler, gamma: 2, sampled: ['embedding'] as const };
    const whole = new AdaptiveImportance(config);
    run(whole, 0, 20);
    const first = new AdaptiveImportance(config);
    run(first, 0, periods);
    const second = new AdaptiveImportance(config);
    second.restore(JSON.parse(JSON.stringify(first.state())) as ReturnType<AdaptiveImportance['state']>);
    run(second, periods, 20);
    expect(second.state()).toEqual(whole.state());
    expect(second.periods).toEqual(whole.periods);
  }
  const other = new AdaptiveImportance({ ...CONFIG, layers: 5 });
  expect(() => other.restore(new AdaptiveImportance(CONFIG).state())).toThrowError(
    expect.objectContaining({ code: 'CHECKPOINT_MISMATCH' }),
  );
});

it('keeps p_l of some periods of a long run', () => {
  const importance = new AdaptiveImportance(CONFIG);
  for (let period = 0; period < 2000; period++) importance.at(period);
  expect(importance.history.length).toBeLessThanOrEqual(400);
  expect(importance.history.map(({ period }) => period)).toEqual(importance.history.map((_, at) => at * 8));
  expect(importance.periods).toHaveLength(2000);
});

it('learning rates make up for unequal draws, up to ten times', () => {
  const weights = [8, 4, 3, 1];
  // π = γ·w/Σw with γ = 1: 1/2, 1/4, 3/16, 1/16, against 1/4 each.
  expect(rateCorrections({ ...CONFIG, weights })).toEqual([0.5, 1, 4 / 3, 4]);
  expect(rateCorrections({ ...CONFIG, weights: [1, 1, 1, 0] })[3]).toBe(10);
  expect(rateCorrections({ ...CONFIG, sampler: 'uniform' })).toEqual([1, 1, 1, 1]);
  const importance = new AdaptiveImportance({ ...CONFIG, weights });
  const turns = (lisaCorrectRate: boolean) => adaptiveTurns({ lisaRewarm: 0, lisaCorrectRate }, CONFIG, importance);
  expect(turns(false).rateOf).toBeUndefined();
  expect([0, 3].map((layer) => turns(true).rateOf?.(layer))).toEqual([0.5, 4]);
});
