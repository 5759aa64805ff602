import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { DEFAULT_LIMITS } from '../../dispatch/limits';
import { LARGER_MODELS } from '../known-models';
import { forecaster } from '../preview/forecaster';
import { modelStanding, standingReasons, standingSentence, type MethodVerdict } from './verdict';

const [gpt2, , qwen] = LARGER_MODELS;
const WIDE = { ...DEFAULT_LIMITS, maxBufferSize: 2 ** 33, maxStorageBufferBindingSize: 2 ** 33 };
const verdicts = (limits: typeof WIDE | null, budget: number | null): MethodVerdict[] =>
  modelStanding(gpt2, DEFAULTS, forecaster, { limits, budget })!.methods.map(({ verdict }) => verdict);

describe('the verdict', () => {
  it('is of each method against the budget, and no more than the limits without one', () => {
    expect(verdicts(WIDE, null)).toEqual(['allowed', 'allowed', 'allowed']);
    expect(verdicts(null, null)).toEqual(['allowed', 'allowed', 'allowed']);
    const totals = modelStanding(gpt2, DEFAULTS, forecaster, { limits: WIDE, budget: null })!.methods.map((m) => m.forecast!.total);
    const lisa = totals[2];
    expect(totals[0]).toBeGreaterThan(lisa);
    expect(verdicts(WIDE, lisa)[2]).toBe('tight');
    expect(verdicts(WIDE, lisa - 1)).toMatchObject({ 0: 'exceeds', 2: 'exceeds' });
    expect(verdicts(WIDE, 1e12)).toEqual(['fits', 'fits', 'fits']);
  });

  it('names the limit that stands in the way, once for the methods that share it', () => {
    const tight = { ...WIDE, maxBufferSize: 1000 };
    const standing = modelStanding(gpt2, DEFAULTS, forecaster, { limits: tight, budget: 1e12 })!;
    expect(standing.methods.every(({ verdict }) => verdict === 'cannot')).toBe(true);
    const reasons = standingReasons(standing.methods);
    expect(reasons.join()).toMatch(/cannot run: .* needs one buffer of .*; this device allows 1.00 kB\./);
    expect(reasons.length).toBeLessThanOrEqual(3);
  });

  it('fits the settings to the model first', () => {
    const { fitted, methods } = modelStanding(gpt2, { ...DEFAULTS, lisaLayers: 99, seqLen: 5000, batchSize: 1 }, forecaster, {
      limits: null,
      budget: null,
    })!;
    expect(fitted).toMatchObject({ lisaLayers: 12, seqLen: 1024 });
    expect(methods.every(({ forecast }) => forecast !== null)).toBe(true);
  });

  it('is unknown, and no number, while the settings cannot run', () => {
    for (const patch of [{ batchSize: NaN }, { seqLen: NaN }, { lisaLayers: 0 }, { loraRank: 1.5 }]) {
      const standing = modelStanding(qwen, { ...DEFAULTS, ...patch }, forecaster, { limits: WIDE, budget: 1e9 })!;
      expect(standing.methods.map(({ verdict, forecast }) => [verdict, forecast])).toEqual(Array(3).fill(['unknown', null]));
      expect(standingSentence(standing, 'lisa')).not.toMatch(/NaN|undefined/);
    }
  });

  it('is not there while a forecast is not', () => {
    const partly = {
      memory: (...[model, config, method]: Parameters<typeof forecaster.memory>) =>
        method === 'lora' ? null : forecaster.memory(model, config, method),
    };
    expect(modelStanding(gpt2, DEFAULTS, partly, { limits: WIDE, budget: null })).toBeNull();
  });

  it('is a sentence without NaN for every method', () => {
    const standing = modelStanding(gpt2, DEFAULTS, forecaster, { limits: WIDE, budget: 1e12 })!;
    expect(standingSentence(standing, 'full')).toMatch(/^Full needs [\d.]+ GB on the GPU \(forecast\), which fits the budget\.$/);
  });
});
