import { describe, expect, it } from 'vitest';
import { DEFAULTS, METHOD_LR } from '../../config/run-config';
import { applyPatch } from './config';

describe('settings', () => {
  const fresh = { config: DEFAULTS, touched: new Set<never>() };

  it('untouched options follow: learning rate the method, warm-up the steps', () => {
    const lora = applyPatch(fresh, { method: 'lora' });
    expect(lora.config.lr).toBe(METHOD_LR.lora);
    const short = applyPatch(fresh, { steps: 6 });
    expect(short.config.warmup).toBe(0);
    expect(applyPatch(short, { steps: 5000 }).config.warmup).toBe(DEFAULTS.warmup);
  });

  it('touched options stay', () => {
    const own = applyPatch(applyPatch(fresh, { lr: 0.1, warmup: 3 }), { method: 'full', steps: 50 });
    expect(own.config).toMatchObject({ lr: 0.1, warmup: 3, method: 'full', steps: 50 });
  });

  it('a step count that is not a number leaves the warm-up alone', () => {
    expect(applyPatch(fresh, { steps: NaN }).config.warmup).toBe(DEFAULTS.warmup);
  });
});
