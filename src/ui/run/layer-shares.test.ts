import { expect, test } from 'vitest';
import { RunMetrics } from '../../store/run/metrics';
import { runEvents } from '../../testing/run-events';
import { layerShares } from './layer-shares';

test('periods and movement of each layer add up to those of the run', () => {
  const { config, events } = runEvents();
  const metrics = new RunMetrics(config.stepsPerPeriod);
  for (const event of events) {
    if (event.type === 'step') metrics.push(event.metrics);
    if (event.type === 'moved') metrics.noteMoved(event.period, event.layers);
  }
  const { layers, most, moves } = layerShares(metrics, 4);
  expect(moves).toBe(true);
  expect(layers.reduce((sum, { periods }) => sum + periods, 0)).toBe(metrics.periods.length * config.lisaLayers);
  expect(layers.reduce((sum, { moved }) => sum + moved, 0)).toBeCloseTo(0.003 + 0.006 + 0.009 + 0.012, 9);
  expect(most).toBe(Math.max(...layers.map(({ moved }) => moved)));
});

test('a run that measured no movement has none', () => {
  expect(layerShares({ periods: [], moves: [] }, 2)).toMatchObject({ moves: false, layers: [{ periods: 0 }, { periods: 0 }] });
});
