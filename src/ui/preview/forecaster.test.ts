// What is remembered must be what a new forecast would say: whatever the bytes depend on is part of the key.

import { expect, test } from 'vitest';
import { DEFAULTS, type RunConfig } from '../../config/run-config';
import { forecast } from '../../plan/forecast';
import { SHAPES } from '../../testing/shapes';
import { forecaster } from './forecaster';

const shape = SHAPES['wordsmith-2m'];

const SETTINGS: Readonly<Record<string, Partial<RunConfig>>> = {
  uniform: {},
  'uniform, embedding frozen': { alwaysOn: { embedding: false, head: false, norm: true } },
  bernoulli: { lisaSampler: 'bernoulli' },
  'bernoulli, embedding frozen': { lisaSampler: 'bernoulli', alwaysOn: { embedding: false, head: false, norm: false } },
};

test.each(Object.entries(SETTINGS))('%s: remembered forecasts are those of the settings that are asked for', (_, settings) => {
  const totals = new Set<number>();
  for (const weights of [null, [1, 0, 0, 0, 0, 0, 0, 1]])
    for (const stepsPerPeriod of [5, 50])
      for (const steps of [100, 200])
        for (const seed of [1, 2, 3, 4]) {
          const config = { ...DEFAULTS, ...settings, lisaWeights: weights, stepsPerPeriod, steps, seed, weightDecay: seed };
          const { total } = forecast(shape, config);
          expect(forecaster.memory({ shape, types: 'f32' }, config).forecast?.total).toBe(total);
          totals.add(total);
        }
  // Or there would have been nothing to mix up.
  expect(totals.size > 1).toBe(settings.lisaSampler === 'bernoulli' || settings.alwaysOn !== undefined);
});
