// The waterfall from full fine-tuning to a run: its steps add up, and each is what plans with and without that lever say.

import { describe, expect, test } from 'vitest';
import { configOf, type RunConfig } from '../config/run-config';
import { parseModelConfig } from '../model/config';
import { PUBLIC_CONFIGS } from '../model/public-configs';
import { forecast, stepFlopsOf } from './forecast';
import { waterfall, type Waterfall } from './waterfall';

const shape = parseModelConfig(PUBLIC_CONFIGS['wordsmith-2m'], 'wordsmith');
const LEVERS: Partial<RunConfig> = {
  lisaEmbedding: 'rows',
  recompute: 'layer',
  weightStorage: 'int8',
  optimizerState: 'int8',
  gradClipMode: 'block',
};
const of = (changes: Partial<RunConfig>): RunConfig => ({
  ...configOf({}),
  method: 'lisa',
  seqLen: 64,
  batchSize: 1,
  gradAccum: 1,
  lisaLayers: 2,
  ...changes,
});
const fall = (changes: Partial<RunConfig>, tokens = 512): Waterfall => waterfall(shape, of(changes), 'bf16', tokens);

describe('every lever', () => {
  const all = fall(LEVERS);

  test('its steps add up to the run', () => {
    expect(all.steps.map(({ lever }) => lever)).toEqual([
      'sampling',
      'policies',
      'recomputation',
      'precision',
      'state',
      'clipping',
      'reuse',
    ]);
    expect(all.steps.every(({ saves }) => saves > 0)).toBe(true);
    expect(all.full - all.steps.reduce((sum, { saves }) => sum + saves, 0)).toBe(all.run);
    expect(all.run).toBe(forecast(shape, of(LEVERS), 'bf16', 512).total);
    const full = forecast(shape, of({ method: 'full' }));
    expect(all.full).toBe(full.total + full.reused!);
    expect(all.fullAlike).toBe(forecast(shape, of({ ...LEVERS, method: 'full' }), 'bf16', 512).total);
  });

  test('their work multiplies to that of the run; only what is trained and computed again changes it', () => {
    const product = all.steps.reduce((ratio, { work }) => ratio * work, 1);
    expect(product).toBeCloseTo(stepFlopsOf(shape, of(LEVERS), 512) / stepFlopsOf(shape, of({ method: 'full' })), 12);
    const [sampling, policies, recomputation, ...others] = all.steps;
    expect(sampling.work).toBeLessThan(1);
    expect(policies.work).toBeLessThan(1);
    expect(recomputation.work).toBeGreaterThan(1.1);
    // Clipping by layer adds a sum of a few numbers for each layer.
    for (const { work } of others) expect(work).toBeCloseTo(1, 4);
  });

  test('LoRA stands beside LISA over the same base with the same recomputation, and the other way round', () => {
    const lora = forecast(shape, of({ ...LEVERS, method: 'lora' }), 'bf16', 512);
    expect(all.rival).toEqual({ method: 'lora', bytes: lora.total, trainable: lora.trainable });
    const swapped = fall({ ...LEVERS, method: 'lora' });
    expect(swapped.run).toBe(lora.total);
    expect(swapped.rival).toEqual({ method: 'lisa', bytes: all.run, trainable: all.trainable });
    expect(swapped.steps.map(({ lever }) => lever)).not.toContain('policies');
  });
});

test('levers that are off take no part, and a full run has no rival', () => {
  expect(fall({}).steps.map(({ lever }) => lever)).toEqual(['sampling', 'reuse']);
  const full = fall({ method: 'full', weightStorage: 'int8', recompute: 'mlp' });
  expect(full.steps.map(({ lever }) => lever)).toEqual(['recomputation', 'reuse']);
  expect(full.rival).toBeNull();
});

test('rows of data that uses the whole vocabulary save nothing, and that is said', () => {
  const { steps, rows } = fall({ lisaEmbedding: 'rows' }, shape.vocab);
  expect(steps[1]).toEqual({ lever: 'policies', saves: 0, work: 1 });
  expect(rows).toEqual({ trained: shape.vocab, all: shape.vocab });
  expect(fall({}).rows).toBeNull();
});

test('matrices whose rows are not whole groups are named', () => {
  const odd = { ...shape, ff: 360 };
  expect(waterfall(odd, of({ weightStorage: 'int8' })).keptWider).toEqual(['mlp.down_proj.weight']);
  expect(fall({ weightStorage: 'int8' }).keptWider).toEqual([]);
});
