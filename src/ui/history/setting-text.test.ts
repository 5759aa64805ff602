import { describe, expect, it } from 'vitest';
import { DEFAULTS, type ConfigKey } from '../../config/run-config';
import { settingChanges, settingText } from './setting-text';

describe('settingChanges', () => {
  it('names what differs, both ways', () => {
    expect(settingChanges(DEFAULTS, { ...DEFAULTS, lr: 3e-4, steps: 2000 })).toEqual([
      { key: 'steps', label: 'Steps', from: '100', to: '2,000' },
      { key: 'lr', label: 'Learning rate', from: '0.0005', to: '0.0003' },
    ]);
    expect(settingChanges(DEFAULTS, DEFAULTS)).toEqual([]);
  });

  it('leaves out settings that neither run looks at, and dashes those that one does not', () => {
    const lora = { ...DEFAULTS, method: 'lora', loraRank: 8 } as const;
    expect(settingChanges(DEFAULTS, { ...DEFAULTS, loraRank: 8 })).toEqual([]);
    expect(settingChanges(DEFAULTS, lora)).toContainEqual(expect.objectContaining({ key: 'loraRank', from: '–', to: '8' }));
    expect(settingChanges(lora, { ...lora, lisaLayers: 4 })).toEqual([]);
  });
});

describe('settingText', () => {
  it('keeps apart what differs little', () => {
    expect(settingText('lr', { ...DEFAULTS, lr: 0.00033333 })).not.toBe(settingText('lr', { ...DEFAULTS, lr: 0.00033334 }));
    expect(settingText('seed', { ...DEFAULTS, seed: 4294967295 })).toBe('4294967295');
  });

  it('has a text for every setting', () => {
    const full = { ...DEFAULTS, lisaWeights: [1, 0.5], columns: { prompt: 'q' }, prompts: ['Define: A'], evalData: null };
    for (const config of [DEFAULTS, full])
      for (const key of Object.keys(DEFAULTS) as ConfigKey[]) expect(settingText(key, config)).toMatch(/^(?!.*\[object).+$/);
    expect(settingText('prompts', full)).toBe('“Define: A”');
  });
});
