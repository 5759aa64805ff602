import { expect, it } from 'vitest';
import { METHODS } from '../../config/field';
import { CONFIG_KEYS, DEFAULTS, fieldOf } from '../../config/run-config';
import { LABELS } from '../labels';
import { ADVANCED_PANELS, isChoice, METHOD_FIELDS, optionsOf, TRAINING_FIELDS, usedBy } from './form';

it('every setting is shown once, beside the method and what is chosen in the panels of model and data', () => {
  const shown = [...METHOD_FIELDS, ...TRAINING_FIELDS.simple, ...TRAINING_FIELDS.advanced, ...ADVANCED_PANELS.flatMap(({ keys }) => keys)];
  const chosen = CONFIG_KEYS.filter((key) => fieldOf(key).scope !== undefined);
  expect([...shown, ...chosen, 'method'].sort()).toEqual([...CONFIG_KEYS].sort());
});

it('shows each method its own settings', () => {
  expect(METHODS.map((method) => usedBy(method, METHOD_FIELDS))).toEqual([['lisaLayers', 'stepsPerPeriod'], [], ['loraRank', 'loraAlpha']]);
});

it('names every value of a choice, and every setting, unlike any other', () => {
  for (const key of CONFIG_KEYS.filter(isChoice)) {
    const options = optionsOf(key);
    expect(options.map(([value]) => value)).toContain(DEFAULTS[key]);
    expect(new Set(options.map(([, name]) => name)).size).toBe(options.length);
  }
  expect(new Set(CONFIG_KEYS.map((key) => LABELS[key].label)).size).toBe(CONFIG_KEYS.length);
});
