// Draws are exact in number, free of duplicates, reproducible, and as frequent as promised.

import { describe, expect, it } from 'vitest';
import type { LisaSampler } from '../config/run-config';
import {
  bernoulliReport,
  drawBlocks,
  drawPeriod,
  expectedCoverage,
  inclusionProbabilities,
  listPeriods,
  mostLayers,
  periodOf,
  poolSize,
  schedule,
  type ScheduleConfig,
  startsPeriod,
  touchedLayers,
  turnsOf,
} from './schedule';

const SAMPLERS: readonly LisaSampler[] = ['uniform', 'bernoulli', 'cycle', 'weighted', 'algorithm1'];
const PERIODS = 20_000;

const base: ScheduleConfig = { layers: 8, gamma: 2, period: 5, steps: 100, seed: 1, sampler: 'uniform', weights: null };
const of = (overrides: Partial<ScheduleConfig>): ScheduleConfig => {
  const config = { ...base, ...overrides };
  // Weights 1, 2, 3, … unless told.
  return config.sampler === 'weighted' && !config.weights
    ? { ...config, weights: Array.from({ length: config.layers }, (_, l) => l + 1) }
    : config;
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function frequencies(config: ScheduleConfig, periods = PERIODS): number[] {
  const counts = Array.from({ length: config.layers }, () => 0);
  for (let i = 0; i < periods; i++) for (const layer of drawPeriod(config, i)) counts[layer]++;
  return counts.map((count) => count / periods);
}

/** A frequency over n independent periods has the standard deviation √(π(1 − π)/n); 4.5 of them happen by chance once in 150,000. */
function expectFrequencies(config: ScheduleConfig): void {
  const expected = inclusionProbabilities(config);
  frequencies(config).forEach((frequency, layer) => {
    const deviation = Math.sqrt((expected[layer] * (1 - expected[layer])) / PERIODS);
    expect(Math.abs(frequency - expected[layer]), `layer ${layer}, expected ${expected[layer]}`).toBeLessThanOrEqual(
      4.5 * deviation + 1e-12,
    );
  });
}

describe('every sampler', () => {
  it.each(SAMPLERS)('%s: the same seed draws the same, any period can be drawn alone, another seed draws otherwise', (sampler) => {
    const config = of({ sampler });
    const all = schedule(config);
    expect(schedule(config)).toEqual(all);
    for (const { period, layers } of [...all].reverse()) expect(drawPeriod(config, period)).toEqual(layers);
    expect(schedule({ ...config, seed: 2 }).map(({ layers }) => layers)).not.toEqual(all.map(({ layers }) => layers));
  });

  it.each(SAMPLERS)('%s: layers are distinct, ascending and in range, and as many as promised', (sampler) => {
    for (let layers = 1; layers <= 9; layers++) {
      for (let gamma = 1; gamma <= layers; gamma++) {
        const config = of({ sampler, layers, gamma, seed: 7 });
        const pool = poolSize(config);
        for (let i = 0; i < 60; i++) {
          const drawn = drawPeriod(config, i);
          const inOrder = drawn.every((layer, at) => Number.isInteger(layer) && layer < layers && layer > (at === 0 ? -1 : drawn[at - 1]));
          const least = { bernoulli: 1, algorithm1: 0 }[sampler as string] ?? gamma;
          const fits = drawn.length >= least && drawn.length <= pool;
          if (!inOrder || !fits) expect.fail(`L = ${layers}, γ = ${gamma}, period ${i}: ${drawn.join()}`);
        }
      }
    }
  });

  it.each(SAMPLERS)('%s: γ = L is every layer, always', (sampler) => {
    const config = of({ sampler, layers: 5, gamma: 5, weights: sampler === 'weighted' ? [1, 1, 3, 0, 50] : null });
    for (let i = 0; i < 50; i++) expect(drawPeriod(config, i)).toEqual([0, 1, 2, 3, 4]);
  });

  it.each(SAMPLERS)('%s: a longer run only adds periods, and γ > L, γ = 0 and K = 0 are refused', (sampler) => {
    const config = of({ sampler });
    expect(schedule({ ...config, steps: 500 }).slice(0, 20)).toEqual(schedule(config));
    for (const fault of [{ gamma: 9 }, { gamma: 0 }, { gamma: 1.5 }, { period: 0 }, { layers: 0 }, { weights: [1, 2] }]) {
      expect(() => schedule({ ...config, ...fault }), JSON.stringify(fault)).toThrowError(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    }
  });
});

it('draws what it has always drawn', () => {
  const first = (sampler: LisaSampler): number[][] => Array.from({ length: 6 }, (_, i) => drawPeriod(of({ sampler, seed: 42 }), i));
  expect(Object.fromEntries(SAMPLERS.map((sampler) => [sampler, first(sampler)]))).toMatchInlineSnapshot(`
    {
      "algorithm1": [
        [],
        [
          1,
          5,
        ],
        [
          0,
        ],
        [
          3,
          7,
        ],
        [
          1,
          2,
          6,
          7,
        ],
        [
          0,
          1,
          4,
        ],
      ],
      "bernoulli": [
        [
          1,
          2,
        ],
        [
          3,
        ],
        [
          5,
        ],
        [
          2,
        ],
        [
          2,
          3,
        ],
        [
          5,
          7,
        ],
      ],
      "cycle": [
        [
          2,
          6,
        ],
        [
          5,
          7,
        ],
        [
          3,
          4,
        ],
        [
          0,
          1,
        ],
        [
          3,
          5,
        ],
        [
          1,
          2,
        ],
      ],
      "uniform": [
        [
          2,
          5,
        ],
        [
          1,
          2,
        ],
        [
          3,
          6,
        ],
        [
          1,
          6,
        ],
        [
          4,
          6,
        ],
        [
          0,
          4,
        ],
      ],
      "weighted": [
        [
          6,
          7,
        ],
        [
          3,
          4,
        ],
        [
          5,
          6,
        ],
        [
          3,
          7,
        ],
        [
          3,
          5,
        ],
        [
          1,
          6,
        ],
      ],
    }
  `);
});

describe('turns', () => {
  it('of LISA are the draws of its periods, with its re-warming', () => {
    const config = of({ steps: 12, period: 5 });
    const turns = turnsOf({ method: 'lisa', lisaRewarm: 4 }, config);
    expect([turns.stepsPerPeriod, turns.rewarm]).toEqual([5, 4]);
    expect(listPeriods(turns, 12)).toEqual(schedule(config));
    expect([0, 1, 2, 7].map(turns.layersOf)).toEqual([0, 1, 2, 7].map((period) => drawPeriod(config, period)));
  });

  it.each(['full', 'lora'] as const)('of %s are one endless period of all layers, at the full rate, and none is listed', (method) => {
    const turns = turnsOf({ method, lisaRewarm: 4 }, of({ layers: 3 }));
    expect(turns).toMatchObject({ stepsPerPeriod: Infinity, rewarm: 0 });
    expect(turns.layersOf(0)).toEqual([0, 1, 2]);
    expect(listPeriods(turns, 1000)).toEqual([]);
  });
});

describe('periods', () => {
  it('cover steps iK + 1 … (i + 1)K, from step 1, the last one cut short', () => {
    const periods = schedule(of({ steps: 12, period: 5 }));
    expect(periods.map(({ period, firstStep }) => [period, firstStep])).toEqual([
      [0, 1],
      [1, 6],
      [2, 11],
    ]);
    expect([1, 5, 6, 10, 11, 12].map((step) => periodOf(step, 5))).toEqual([0, 0, 1, 1, 2, 2]);
    expect([1, 2, 3].map((step) => periodOf(step, 1))).toEqual([0, 1, 2]);
  });

  it('begin after every K steps, and one without an end only before the first', () => {
    const starts = (stepsPerPeriod: number): number[] =>
      Array.from({ length: 8 }, (_, done) => done).filter((done) => startsPeriod(done, stepsPerPeriod));
    expect(starts(3)).toEqual([0, 3, 6]);
    expect(starts(1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(starts(Infinity)).toEqual([0]);
    expect([1, 2, 1000].map((step) => periodOf(step, Infinity))).toEqual([0, 0, 0]);
  });

  it('count as touched from their first step on', () => {
    const periods = [
      { period: 0, firstStep: 1, layers: [5, 7] },
      { period: 1, firstStep: 6, layers: [0, 5] },
    ];
    expect(touchedLayers(periods, 0)).toEqual([]);
    expect(touchedLayers(periods, 5)).toEqual([5, 7]);
    expect(touchedLayers(periods, 6)).toEqual([0, 5, 7]);
  });
});

describe('uniform', () => {
  it('draws every layer, and every pair, equally often', () => {
    expectFrequencies(of({}));
    expectFrequencies(of({ layers: 5, gamma: 4, seed: 3 }));
    const pairs = new Map<string, number>();
    for (let i = 0; i < PERIODS; i++) {
      const pair = drawPeriod(base, i).join();
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    const expected = PERIODS / 28;
    expect(pairs.size).toBe(28);
    // χ² with 27 degrees of freedom passes 55.5 once in a thousand.
    expect(sum([...pairs.values()].map((count) => (count - expected) ** 2 / expected))).toBeLessThan(55.5);
  });

  it('reaches layers as fast as 1 − (1 − γ/L)^t says', () => {
    expect(expectedCoverage(2, 8, 100, 5)).toBeCloseTo(1 - 0.75 ** 20, 12);
    const runs = 2000;
    const shares = Array.from({ length: runs }, (_, seed) => touchedLayers(schedule(of({ seed, steps: 25 })), 25).length / 8);
    // A run's share has a standard deviation below 0.15: the mean of 2000 one of 0.0034.
    expect(Math.abs(sum(shares) / runs - expectedCoverage(2, 8, 25, 5))).toBeLessThan(0.015);
  });
});

describe('cycle', () => {
  const cases = [
    [8, 2],
    [8, 3],
    [5, 2],
    [4, 3],
    [7, 5],
    [6, 4],
    [9, 1],
    [3, 3],
    [12, 8],
  ];

  it.each(cases)('L = %i, γ = %i: n·L layers drawn in a row are n of each', (layers, gamma) => {
    const config = of({ sampler: 'cycle', layers, gamma });
    const counts = Array.from({ length: layers }, () => 0);
    // The periods that make up whole rounds, however long they are.
    for (let i = 0; i < 3 * layers; i++) {
      for (const layer of drawPeriod(config, i)) counts[layer]++;
      // Never more than one round ahead, plus the head of the next that fills a seam.
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
      if (((i + 1) * gamma) % layers === 0) expect(new Set(counts).size).toBe(1);
    }
    expect(counts).toEqual(counts.map(() => 3 * gamma));
  });

  it('reaches every layer in the first ⌈L/γ⌉ periods of every seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const config = of({ sampler: 'cycle', layers: 7, gamma: 3, seed, period: 1, steps: 3 });
      expect(touchedLayers(schedule(config), 3)).toHaveLength(7);
    }
  });

  it('shuffles: rounds differ, and every layer is equally often in every place', () => {
    const config = of({ sampler: 'cycle' });
    expect(drawPeriod(config, 0)).not.toEqual(drawPeriod(config, 4));
    const firsts = Array.from({ length: 8 }, () => 0);
    for (let round = 0; round < PERIODS / 4; round++) for (const layer of drawPeriod(config, round * 4)) firsts[layer]++;
    // 5000 rounds: standard deviation √(0.25 · 0.75 / 5000) = 0.0061.
    for (const count of firsts) expect(Math.abs(count / (PERIODS / 4) - 0.25)).toBeLessThan(4.5 * 0.0062);
  });
});

describe('weighted', () => {
  it('draws each layer with exactly its probability', () => {
    const config = of({ sampler: 'weighted', weights: [1, 2, 3, 4, 5, 6, 7, 8] });
    inclusionProbabilities(config).forEach((p, layer) => expect(p).toBeCloseTo((2 * (layer + 1)) / 36, 12));
    expectFrequencies(config);
    expectFrequencies(of({ sampler: 'weighted', layers: 5, gamma: 3, weights: [0.2, 1.7, 0.4, 0.9, 1.1], seed: 9 }));
  });

  it('caps a dominating layer at 1 and gives the excess to the others in proportion', () => {
    const config = of({ sampler: 'weighted', layers: 4, gamma: 2, weights: [97, 1, 2, 3] });
    const [first, ...others] = inclusionProbabilities(config);
    expect(first).toBe(1);
    // The floor, a hundredth of the mean weight, is 0.26 and does not act here.
    others.forEach((p, i) => expect(p).toBeCloseTo((i + 1) / 6, 12));
    expectFrequencies(config);
  });

  it('caps in turn: the excess of one can fill the next', () => {
    const config = of({ sampler: 'weighted', layers: 5, gamma: 3, weights: [100, 10, 1, 1, 1] });
    const probabilities = inclusionProbabilities(config);
    expect(probabilities.slice(0, 2)).toEqual([1, 1]);
    probabilities.slice(2).forEach((p) => expect(p).toBeCloseTo(1 / 3, 12));
    expectFrequencies(config);
  });

  it('reaches layers of weight zero, through the floor', () => {
    const config = of({ sampler: 'weighted', layers: 4, gamma: 2, weights: [1, 0, 1, 0] });
    const probabilities = inclusionProbabilities(config);
    expect(Math.min(...probabilities)).toBeGreaterThan(0.004);
    expect(sum(probabilities)).toBeCloseTo(2, 12);
    expectFrequencies(config);
  });

  it('follows importance that was measured in the run in place of the weights', () => {
    const config = of({ sampler: 'weighted', layers: 4, gamma: 1, weights: [1, 1, 1, 1] });
    const importance = [1e9, 1, 1, 1];
    const drawn = Array.from({ length: 40 }, (_, i) => drawPeriod(config, i, importance)[0]);
    expect(drawn.filter((layer) => layer === 0).length).toBeGreaterThan(30);
    expect(inclusionProbabilities(config, importance)[0]).toBeGreaterThan(0.99);
    expect(drawPeriod({ ...config, weights: null }, 3, importance)).toEqual(drawPeriod(config, 3, importance));
    expect(() => drawPeriod({ ...config, weights: null }, 3)).toThrowError(/no weights/);
  });
});

describe('bernoulli', () => {
  const configs = [
    of({ sampler: 'bernoulli' }),
    of({ sampler: 'bernoulli', layers: 12, gamma: 1, seed: 5 }),
    of({ sampler: 'bernoulli', layers: 6, gamma: 2, weights: [1, 1, 8, 2, 0.5, 0] }),
    of({ sampler: 'bernoulli', layers: 40, gamma: 1 }),
  ];

  it.each(configs)('L = $layers, γ = $gamma: is never empty nor above the pool, and as frequent as promised', (config) => {
    const sizes = Array.from({ length: 5000 }, (_, i) => drawPeriod(config, i).length);
    expect(Math.min(...sizes)).toBe(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(poolSize(config));
    expectFrequencies(config);
  });

  it('varies in size, and says how often it was redrawn and capped', () => {
    const config = of({ sampler: 'bernoulli', layers: 40, gamma: 1 });
    expect(poolSize(config)).toBe(4);
    const report = bernoulliReport(config, PERIODS);
    // Empty: q = (1 − 1/40)^40 = 0.363, so q/(1 − q) = 0.571 redraws a period, with a standard deviation of √(q)/(1 − q) = 0.947.
    const empty = (39 / 40) ** 40;
    expect(Math.abs(report.redrawn / PERIODS - empty / (1 - empty))).toBeLessThan((4.5 * 0.947) / Math.sqrt(PERIODS));
    // Five or more of 40 at 1/40 each: 0.0034, over 0.637 of the draws that are not empty.
    expect(report.cappedPeriods / PERIODS).toBeGreaterThan(0.003);
    expect(report.cappedPeriods / PERIODS).toBeLessThan(0.008);
    expect(report.dropped).toBeGreaterThanOrEqual(report.cappedPeriods);
    expect(new Set(Array.from({ length: 200 }, (_, i) => drawPeriod(config, i).length)).size).toBeGreaterThan(2);
    expect(bernoulliReport(base)).toEqual({ redrawn: 0, cappedPeriods: 0, dropped: 0 });
  });

  it('has a pool of γ + 3σ, at most L, that weights do not change', () => {
    const pool = (layers: number, gamma: number): number => poolSize(of({ sampler: 'bernoulli', layers, gamma }));
    expect([pool(8, 2), pool(4, 2), pool(4, 4), pool(1, 1), pool(32, 2), pool(80, 8)]).toEqual([6, 4, 4, 1, 7, 17]);
    expect(poolSize(of({ sampler: 'bernoulli', weights: [9, 1, 1, 1, 1, 1, 1, 1] }))).toBe(6);
    expect(poolSize(base)).toBe(2);
  });
});

describe('blocks that are drawn like layers', () => {
  const config = { layers: 6, gamma: 2, period: 3, steps: 3000, seed: 7, sampler: 'uniform', weights: null } as const;
  const sampled = ['embedding', 'norm'] as const;

  it.each(['uniform', 'cycle', 'bernoulli'] as const)('%s: γ counts them, and each is as likely as a layer', (sampler) => {
    const of = { ...config, sampler, sampled };
    const periods = schedule(of);
    const units = periods.map(({ layers, blocks = [] }) => layers.length + blocks.length);
    if (sampler !== 'bernoulli') expect(new Set(units)).toEqual(new Set([2]));
    const times = (name: (typeof sampled)[number]): number => periods.filter(({ blocks = [] }) => blocks.includes(name)).length;
    // 1000 periods, each block in a quarter of them: six standard deviations are 82.
    for (const name of sampled) expect(Math.abs(times(name) - 250)).toBeLessThan(82);
    expect(periods.some(({ layers }) => layers.length === 0)).toBe(true);
    expect(inclusionProbabilities(of)).toHaveLength(6);
    expect(mostLayers(of)).toBeGreaterThanOrEqual(2);
    // The same period is drawn the same again, by itself.
    expect(periods[17]).toMatchObject({ layers: drawPeriod(of, 17), ...(periods[17].blocks && { blocks: drawBlocks(of, 17) }) });
  });

  it('without any, draws are those of layers alone', () => {
    expect(schedule({ ...config, sampled: [] })).toEqual(schedule(config));
    expect(drawBlocks(config, 3)).toEqual([]);
  });
});
