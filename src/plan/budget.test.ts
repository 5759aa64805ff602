import { describe, expect, test } from 'vitest';
import { configOf, type ConfigKey, type RunConfig } from '../config/run-config';
import { parseModelConfig } from '../model/config';
import { PUBLIC_CONFIGS } from '../model/public-configs';
import { fitToBudget, type BudgetPlan } from './budget';
import { forecast } from './forecast';

const shape = parseModelConfig(PUBLIC_CONFIGS['smollm2-135m'], 'smollm2');
const config: RunConfig = { ...configOf({}), method: 'lisa', seqLen: 512, batchSize: 2, gradAccum: 1, lisaLayers: 2 };
const fit = (budget: number, given: readonly ConfigKey[] = [], changes: Partial<RunConfig> = {}): BudgetPlan =>
  fitToBudget({ shape, config: { ...config, ...changes }, budget, given: new Set(given), types: 'bf16', tokens: 4096 });

describe('a budget', () => {
  test('that is large enough changes nothing', () => {
    const { total } = forecast(shape, config, 'bf16', 4096);
    expect(fit(total)).toEqual({ config, steps: [], total, fits: true });
  });

  test.each([1500e6, 1000e6, 700e6, 500e6, 400e6])('of %d bytes is kept; the steps add up, and none can be left out', (budget) => {
    const { total: before } = forecast(shape, config, 'bf16', 4096);
    const plan = fit(budget);
    expect(plan.fits).toBe(true);
    expect(plan.total).toBeLessThanOrEqual(budget);
    expect(plan.total).toBe(forecast(shape, plan.config, 'bf16', 4096).total);
    expect(before - plan.steps.reduce((sum, { saves }) => sum + saves, 0)).toBe(plan.total);
    expect(plan.steps.every(({ saves }) => saves > 0)).toBe(true);
    const last = plan.steps.slice(0, -1).reduce((of, { change }) => ({ ...of, ...change }), config);
    expect(forecast(shape, last, 'bf16', 4096).total).toBeGreaterThan(budget);
  });

  test('below the smallest plan tells how small the run can be, and that size fits', () => {
    const plan = fit(1e6);
    expect(plan.fits).toBe(false);
    expect(plan.total).toBeGreaterThan(1e6);
    expect(fit(plan.total).fits).toBe(true);
  });

  test('leaves settings as they are that a person gave', () => {
    const given: readonly ConfigKey[] = ['recompute', 'weightStorage', 'lisaLayers'];
    const plan = fit(1e6, given);
    for (const key of given) expect(plan.config[key]).toEqual(config[key]);
    expect(plan.steps.length).toBeGreaterThan(2);
  });

  test('does not try what the method has not', () => {
    const keys = fit(1e6, [], { method: 'full' }).steps.flatMap(({ change }) => Object.keys(change));
    expect(keys).not.toContain('weightStorage');
    expect(keys).not.toContain('lisaLayers');
  });
});
