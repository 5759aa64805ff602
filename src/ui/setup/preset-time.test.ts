import { expect, it } from 'vitest';
import { presetTime, roughDuration } from './preset-time';

it('durations are as rough as estimates are', () => {
  const shown = [0.2, 7.4, 43, 88, 100, 754, 5300, 6000, 20_000, 40_000, 200_000].map(roughDuration);
  expect(shown).toEqual(['1 s', '7 s', '45 s', '90 s', '2 min', '13 min', '88 min', '1.5 h', '5.5 h', '11 h', '2 days']);
});

it('is the plan’s work over the measured speed, and says what it rests on', () => {
  const trained = { flopsPerSecond: 10e9, from: { what: 'training', steps: 50 } } as const;
  expect(presetTime(100, 5e9, trained)).toEqual({
    text: 'about 50 s',
    basis:
      'Estimate: 100 steps of 5.00 GFLOP (the plan, full rows) at 10.0 GFLOP/s, measured over 50 training steps of this browser on this device. Evaluation, samples and saving come on top.',
  });
  expect(presetTime(100, 5e9, { flopsPerSecond: 1e9, from: { what: 'probe' } })?.basis).toContain('matrix product');
});

it('nothing is shown before something was measured', () => {
  expect(presetTime(100, 5e9, null)).toBeNull();
  expect(presetTime(100, null, { flopsPerSecond: 1e9, from: { what: 'probe' } })).toBeNull();
  expect(presetTime(NaN, 5e9, { flopsPerSecond: 1e9, from: { what: 'probe' } })).toBeNull();
});
