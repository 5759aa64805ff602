// The corrections that are rare in a whole schedule, made frequent.

import { expect, it } from 'vitest';
import { randomStream } from '../base/random';
import { bernoulliInclusion, drawAlgorithm1, drawBernoulli, drawSystematic, ppsProbabilities } from './samplers';

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

it('Algorithm 1 freezes each layer where U(0, 1) > p_l: draws may be empty, and Σp = γ', () => {
  const probabilities = ppsProbabilities([8, 1, 1, 1, 1], 2);
  // γ·p_0 is 4/3: the excess goes to the others.
  expect(probabilities).toEqual([1, 0.25, 0.25, 0.25, 0.25]);
  const [periods, pool] = [20_000, 2];
  const rare = [0.5, 0.2, 0.1];
  const expected = bernoulliInclusion(rare, pool, true);
  const counts = [0, 0, 0];
  let [empty, dropped] = [0, 0];
  for (let i = 0; i < periods; i++) {
    const stream = randomStream(5, i);
    const draw = drawAlgorithm1(rare, pool, stream);
    // The same tosses: one U for each layer, in their order.
    const again = randomStream(5, i);
    const kept = rare.flatMap((p, layer) => (again.nextFloat() > p ? [] : [layer]));
    if (kept.length <= pool) expect(draw.layers).toEqual(kept);
    for (const layer of draw.layers) counts[layer]++;
    if (draw.layers.length === 0) empty++;
    dropped += draw.dropped;
  }
  counts.forEach((count, layer) => expect(Math.abs(count / periods - expected[layer])).toBeLessThan(0.016));
  expect(Math.abs(empty / periods - 0.5 * 0.8 * 0.9)).toBeLessThan(0.016);
  expect(Math.abs(dropped / periods - 0.5 * 0.2 * 0.1)).toBeLessThan(0.01);
  // Where the pool holds all, each has exactly its p.
  bernoulliInclusion(rare, 3, true).forEach((p, layer) => expect(p).toBeCloseTo(rare[layer], 14));
});

it('10⁵ weighted draws of exactly γ are as frequent as min(1, γ·p_l/Σp) with the excess redistributed, within binomial bounds', () => {
  const [draws, gamma] = [100_000, 3];
  // Σp = 20: 3·10/20 is above 1, so layer 0 is certain, and 2 of the others' 10 are left: 2·w/10.
  const weights = [10, 1, 2, 3, 0.5, 3.5];
  const expected = [1, 0.2, 0.4, 0.6, 0.1, 0.7];
  const probabilities = ppsProbabilities(weights, gamma);
  probabilities.forEach((p, layer) => expect(p).toBeCloseTo(expected[layer], 12));
  const counts = weights.map(() => 0);
  for (let i = 0; i < draws; i++) {
    const drawn = drawSystematic(probabilities, randomStream(9, i));
    if (drawn.length !== gamma) expect.fail(`draw ${i}: ${drawn.join()}`);
    for (const layer of drawn) counts[layer]++;
  }
  // 4.5 standard deviations of a binomial frequency happen by chance once in 150,000.
  const far = counts.map((count, layer) => {
    const deviation = Math.sqrt((expected[layer] * (1 - expected[layer])) / draws);
    return deviation === 0 ? Math.abs(count / draws - expected[layer]) : Math.abs(count / draws - expected[layer]) / deviation;
  });
  for (const distance of far) expect(distance).toBeLessThan(4.5);
  console.info(`10⁵ draws: ${counts.map((count) => count / draws).join(' ')} for ${expected.join(' ')}`);
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
