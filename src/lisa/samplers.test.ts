// The corrections that are rare in a whole schedule, made frequent.

import { expect, it } from 'vitest';
import { randomStream } from '../base/random';
import { bernoulliInclusion, drawBernoulli, drawSystematic, ppsProbabilities } from './samplers';

it('Bernoulli inclusion counts redraws and a small pool exactly', () => {
  // Pool 1 and never empty: exactly one of three alike.
  for (const p of bernoulliInclusion([0.5, 0.5, 0.5], 1)) expect(p).toBeCloseTo(1 / 3, 12);
  // By hand: {0}, {1} and {0, 1} with 0.45, 0.05, 0.45 of 0.95; a full pair keeps either.
  const inclusion = bernoulliInclusion([0.9, 0.5], 1);
  expect(inclusion[0]).toBeCloseTo(0.675 / 0.95, 12);
  expect(inclusion[1]).toBeCloseTo(0.275 / 0.95, 12);
  // A pool that holds all changes nothing.
  expect(bernoulliInclusion([1, 0.5], 2)).toEqual([1, 0.5]);
});

it('Bernoulli draws as often as that, and counts what it left out', () => {
  const [periods, probabilities] = [20_000, [0.9, 0.5, 0.2]];
  const expected = bernoulliInclusion(probabilities, 2);
  const counts = [0, 0, 0];
  let dropped = 0;
  for (let i = 0; i < periods; i++) {
    const draw = drawBernoulli(probabilities, 2, randomStream(3, i));
    for (const layer of draw.layers) counts[layer]++;
    dropped += draw.dropped;
  }
  // 4.5 standard deviations of a frequency, at most √(0.25 / 20000) = 0.0035.
  counts.forEach((count, layer) => expect(Math.abs(count / periods - expected[layer])).toBeLessThan(0.016));
  // All three: 0.09 of the 0.96 that are not empty.
  expect(Math.abs(dropped / periods - 0.09 / 0.96)).toBeLessThan(0.01);
});

it('systematic draws have a fixed size whatever the rounding, and take certain layers always', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const stream = randomStream(seed, 'sizes');
    const layers = 1 + stream.nextBelow(12);
    const gamma = 1 + stream.nextBelow(layers);
    // Weights over nine decades.
    const weights = Array.from({ length: layers }, () => 10 ** (-9 * stream.nextFloat()));
    const probabilities = ppsProbabilities(weights, gamma);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(gamma, 9);
    const drawn = drawSystematic(probabilities, stream);
    expect(new Set(drawn).size).toBe(gamma);
    expect(drawn).toHaveLength(gamma);
    expect(probabilities.every((p, layer) => p < 1 || drawn.includes(layer))).toBe(true);
  }
});
