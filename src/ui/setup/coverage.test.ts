import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { expectedCoverage, schedule } from '../../lisa/schedule';
import { coverageAdvice } from './coverage';

const settings = (
  lisaLayers: number,
  stepsPerPeriod: number,
  steps: number,
  lisaSampler: 'uniform' | 'cycle' | 'bernoulli' = 'uniform',
) => ({
  lisaLayers,
  stepsPerPeriod,
  steps,
  lisaSampler,
});

describe('coverageAdvice', () => {
  it('says what will stay frozen, and the two ways out', () => {
    expect(coverageAdvice(8, settings(2, 20, 100))).toEqual({
      sentence: 'With 100 steps at K = 20 about 6 of 8 layers will ever train: take K = 6 or 400 steps.',
      suggestions: [
        { label: 'K = 6', patch: { stepsPerPeriod: 6 } },
        { label: '400 steps', patch: { steps: 400 } },
      ],
    });
  });

  it('says so where all is well', () => {
    expect(coverageAdvice(8, DEFAULTS)?.sentence).toBe('With 100 steps at K = 5 all 8 layers are expected to train, each about 5 times.');
    expect(coverageAdvice(8, settings(8, 100, 1))?.suggestions).toEqual([]);
  });

  it('never suggests a period below one step', () => {
    expect(coverageAdvice(24, settings(1, 1, 10))?.suggestions.map(({ label }) => label)).toEqual(['200 steps']);
  });

  it('is silent where it cannot know', () => {
    expect(coverageAdvice(8, settings(2, 5, 100, 'bernoulli'))).toBeNull();
    expect(coverageAdvice(8, settings(2, NaN, 100))).toBeNull();
    expect(coverageAdvice(8, settings(9, 5, 100))).toBeNull();
  });

  it('each suggestion reaches the aim, and differs from what is set', () => {
    const any = fc.record({
      layers: fc.integer({ min: 1, max: 80 }),
      gamma: fc.integer({ min: 1, max: 80 }),
      period: fc.integer({ min: 1, max: 500 }),
      steps: fc.integer({ min: 1, max: 5000 }),
    });
    fc.assert(
      fc.property(any, fc.constantFrom('uniform' as const, 'cycle' as const), ({ layers, gamma, period, steps }, sampler) => {
        fc.pre(gamma <= layers);
        const chosen = settings(gamma, period, steps, sampler);
        const found = coverageAdvice(layers, chosen)!;
        for (const { patch } of found.suggestions) {
          const next = { ...chosen, ...patch };
          expect(next).not.toEqual(chosen);
          const after = coverageAdvice(layers, next)!;
          expect(after.suggestions, `${JSON.stringify(next)} of ${layers}`).toEqual([]);
          if (sampler === 'uniform') {
            expect(expectedCoverage(gamma, layers, next.steps, next.stepsPerPeriod)).toBeGreaterThan(0.989);
          } else {
            const drawn = schedule({ layers, gamma, period: next.stepsPerPeriod, steps: next.steps, seed: 1, sampler, weights: null });
            expect(new Set(drawn.flatMap((p) => p.layers)).size).toBe(layers);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
