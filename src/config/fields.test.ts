import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyConfig, anyValue } from '../testing/any-config';
import { decodeConfig, encodeConfig } from './codec';
import { readConfigFile, writeConfigFile } from './file';
import { checkConfig, checkValue, CONFIG_KEYS, configFaults, configOf, DEFAULTS, defaultsFor, fieldOf, type ConfigKey } from './run-config';

describe.each(CONFIG_KEYS)('%s', (key) => {
  const field = fieldOf(key);

  test('has an option of its own, in the usual spelling', () => {
    expect(field.flag).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect(CONFIG_KEYS.filter((other) => fieldOf(other).flag === field.flag)).toEqual([key]);
  });

  test('has one line of help, which does not repeat its option', () => {
    expect(field.help).toMatch(/^[^\n]{5,120}$/);
    expect(field.help).not.toMatch(/\.$/);
    expect(field.placeholder).toMatch(/^\S+$/);
  });

  test('has a valid default that can run', () => {
    expect(checkValue(key, DEFAULTS[key])).toEqual({ ok: true, value: DEFAULTS[key] });
    expect(configFaults(DEFAULTS, { layers: 8, maxPositions: 512 })).toEqual([]);
  });

  test('refuses what is not a value of it, in words that follow "must be"', () => {
    for (const value of [undefined, NaN, -1, Symbol('x'), { a: 1 }, [{}]]) {
      const checked = checkValue(key, value);
      expect(checked.ok).toBe(false);
      if (!checked.ok) expect(checked.expected).toMatch(/^(a |one of |the name |true |embedding|at most )/);
    }
  });

  test('goes to the command line, a link and a file and comes back as it was', () => {
    fc.assert(
      fc.property(anyValue(key), (value) => {
        const config = { ...DEFAULTS, [key]: value };
        expect(readConfigFile(writeConfigFile(config), 'f.json').config).toEqual(config);
        const link = encodeConfig(config);
        if (field.scope !== undefined) expect(link).toBe('');
        else if (link !== '' && field.follows === undefined) expect(decodeConfig(link).config[key]).toEqual(value);
        // A map with columns of no name, and no value at all, cannot be typed.
        const texts = (field.toFlag as (given: unknown) => readonly string[])(value);
        const typeable = texts.length > 0 && !(field.fault as ((given: unknown) => unknown) | undefined)?.(value);
        if (typeable) expect(field.parse(texts)).toEqual({ ok: true, value });
      }),
    );
  });
});

test('every row belongs to a group, and no two groups have a key in common', () => {
  const modules = Object.values(import.meta.glob<Record<string, unknown>>('./fields/*.ts', { eager: true }));
  const tables = modules.flatMap((module) => Object.entries(module).filter(([name]) => /^[A-Z]+$/.test(name)));
  expect(tables.flatMap(([, table]) => Object.keys(table as object)).sort()).toEqual([...CONFIG_KEYS].sort());
});

test('layer weights are a list of 1 to 1024', () => {
  const taken = [0, 1, 1024, 1025].map((length) => checkValue('lisaWeights', new Array(length).fill(0.5)).ok);
  expect(taken).toEqual([false, true, true, false]);
});

describe('what follows', () => {
  test('the warm-up is a tenth of the steps, rounded down, and at most 10', () => {
    const warmups = [1, 9, 10, 25, 99, 100, 5000].map((steps) => configOf({ steps }).warmup);
    expect(warmups).toEqual([0, 0, 1, 2, 9, 10, 10]);
    expect(defaultsFor({ method: 'lisa', steps: NaN }).warmup).toBe(DEFAULTS.warmup);
  });

  test('the learning rate is that of the method', () => {
    expect((['lisa', 'full', 'lora'] as const).map((method) => configOf({ method }).lr)).toEqual([5e-4, 3e-4, 2e-3]);
    expect(configOf({ method: 'lora', lr: 1 }).lr).toBe(1);
  });
});

describe('faults', () => {
  const model = { layers: 8, maxPositions: 512 };
  const text = (patch: Partial<typeof DEFAULTS>, bounds?: typeof model): string[] =>
    configFaults({ ...DEFAULTS, ...patch }, bounds).map(({ key, problem, remedy }) => `${key}: ${problem} ${remedy}`);

  test('say the range that holds for this model', () => {
    expect(text({ lisaLayers: 2.5 }, model)).toEqual(['lisaLayers: 2.5 is not a whole number. Enter a whole number from 1 to 8.']);
    expect(text({ lisaLayers: 0 }, model)).toEqual(['lisaLayers: 0 is too small. Enter a whole number from 1 to 8.']);
    expect(text({ lisaLayers: 9 }, model)).toEqual([
      "lisaLayers: γ = 9 is more than the model's 8 layers. Enter a whole number from 1 to 8.",
    ]);
    expect(text({ seqLen: 513 }, model)).toEqual([
      "seqLen: 513 tokens are more than the model's 512 positions. Enter a whole number from 2 to 512.",
    ]);
    expect(text({ seqLen: NaN }, model)).toEqual(['seqLen: This is not a number. Enter a whole number from 2 to 512.']);
  });

  test('name the limit if no model is known, and ignore what the method does not use', () => {
    expect(text({ lisaLayers: 2.5 })).toEqual([
      'lisaLayers: 2.5 is not a whole number. Enter a whole number from 1 to the number of layers.',
    ]);
    expect(text({ method: 'lora', lisaLayers: 9 }, model)).toEqual([]);
    expect(text({ lr: 0, beta1: 1 })).toEqual([
      'lr: 0 is too small. Enter a number above 0 and at most 10.',
      'beta1: 1 is too large. Enter a number from 0 to 0.999999.',
    ]);
  });

  test('about a setting and its model come once', () => {
    expect(configFaults({ ...DEFAULTS, lisaWeights: [1, -1] }, model)).toHaveLength(1);
    expect(configFaults({ ...DEFAULTS, lisaWeights: [0, 0] }, model)).toMatchObject([{ problem: '2 weights for 8 layers.' }]);
  });

  test('are exactly the numbers out of range, whatever the configuration', () => {
    fc.assert(
      fc.property(anyConfig, fc.constantFrom('gradAccum', 'evalSplit', 'temperature'), (config, key: ConfigKey) => {
        const keys = configFaults({ ...config, [key]: -1 }).map((fault) => fault.key);
        expect(keys.filter((found) => !['warmup', 'columns'].includes(found))).toEqual([key]);
        expect(() => checkConfig({ ...DEFAULTS, [key]: -1 }, undefined, (name) => `<${name}>`)).toThrow(`<${key}>: -1 is too small.`);
      }),
    );
  });
});
