// What a plan depends on: the worst draw of the seeded schedule, however long the run.

import { expect, test } from 'vitest';
import { schedule } from '../lisa/schedule';
import { METHODS, runConfig } from '../testing/plans';
import { SHAPES } from '../testing/shapes';
import { planInput, scheduleConfig } from './input';

const shape = SHAPES['wordsmith-2m'];
const drawnOnly = METHODS.find(({ name }) => name === 'LISA γ=2, drawn layers only')!;

test('a run of a million steps has a plan', () => {
  // 200,000 periods are more than a call can have arguments.
  const config = runConfig(shape, drawnOnly, { steps: 1_000_000, stepsPerPeriod: 5 });
  expect(planInput(shape, config)).toMatchObject({ slots: 2, lowest: 0 });
  // This layer is as unlikely as possible, so every period is drawn before the answer is known.
  const lisaWeights = [0, 0, 0, 0, 1, 1, 1, 1];
  const rare = planInput(shape, { ...config, lisaSampler: 'weighted', lisaWeights });
  expect(rare.lowest).toBeLessThan(4);
});

test.each([1, 2, 3, 4, 5, 6])('the lowest layer is that of the schedule, seed %i', (seed) => {
  const config = runConfig(shape, drawnOnly, { steps: 6, stepsPerPeriod: 3, seed });
  const drawn = schedule(scheduleConfig(shape, config)).flatMap(({ layers }) => layers);
  expect(planInput(shape, config).lowest).toBe(Math.min(...drawn));
});

test.each([1, 2, 3, 4, 5, 6])('bernoulli gets as many slots as its largest draw needs, seed %i', (seed) => {
  const config = runConfig(shape, drawnOnly, { lisaSampler: 'bernoulli', steps: 40, stepsPerPeriod: 5, seed });
  const sizes = schedule(scheduleConfig(shape, config)).map(({ layers }) => layers.length);
  expect(planInput(shape, config).slots).toBe(Math.max(...sizes));
  // Room for three standard deviations would be six slots.
  expect(planInput(shape, config).slots).toBeLessThan(6);
  expect(planInput(shape, { ...config, alwaysOn: { embedding: true, head: true, norm: true } }).slots).toBe(Math.max(...sizes));
});

test('a long Bernoulli run stops drawing at the cap', () => {
  const config = runConfig(shape, drawnOnly, { lisaSampler: 'bernoulli', steps: 10_000_000, stepsPerPeriod: 1 });
  expect(planInput(shape, config)).toMatchObject({ slots: 6, lowest: 0 });
});
