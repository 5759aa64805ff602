import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyConfig } from '../testing/any-config';
import { checkValue, DEFAULTS, defaultsFor, METHOD_LR, type NumericKey, type RunConfig } from './run-config';
import { changedKeys, decodeConfig, encodeConfig, shareable } from './codec';
import { readConfigFile, writeConfigFile } from './file';
import { presetOf, PRESETS } from './presets';

/** Mostly defaults, as links are. */
const fewChanges = fc
  .tuple(anyConfig, fc.subarray(Object.keys(DEFAULTS) as (keyof RunConfig)[], { maxLength: 5 }))
  .map(([config, keys]): RunConfig => ({ ...DEFAULTS, ...Object.fromEntries(keys.map((key) => [key, config[key]])) }));

describe('names of older versions', () => {
  it('are read in links and files, but never written', () => {
    const config: RunConfig = {
      ...DEFAULTS,
      stepsPerPeriod: 7,
      alwaysOn: { embedding: false, head: false, norm: true },
      weightStorage: 'stored',
    };
    const link = 'lisaPeriod=7&lisaTrain=norm&weights=stored';
    expect(decodeConfig(link)).toMatchObject({ config, given: ['stepsPerPeriod', 'alwaysOn', 'weightStorage'], dropped: [] });
    const { stepsPerPeriod: lisaPeriod, alwaysOn: lisaTrain, weightStorage: weights, ...rest } = config;
    const file = JSON.stringify({ ...JSON.parse(writeConfigFile(config)), settings: { ...rest, lisaPeriod, lisaTrain, weights } });
    expect(readConfigFile(file, 'run.json').config).toEqual(config);
    for (const written of [encodeConfig(config), writeConfigFile(config)])
      expect(written).not.toMatch(/lisaPeriod|lisaTrain|"?weights"?[:=]/);
  });
});

describe('links', () => {
  it('the defaults give an empty link, and so do options that only follow others', () => {
    expect(encodeConfig(DEFAULTS)).toBe('');
    expect(encodeConfig({ ...DEFAULTS, method: 'lora', lr: METHOD_LR.lora })).toBe('method=lora');
    expect(encodeConfig({ ...DEFAULTS, steps: 30, warmup: 3 })).toBe('steps=30');
    expect(changedKeys(defaultsFor({ method: 'full', steps: 7 }))).toEqual(['method', 'steps']);
  });

  it('says what differs, and can be read', () => {
    const config: RunConfig = {
      ...DEFAULTS,
      lisaLayers: 3,
      lr: 2e-7,
      alwaysOn: { embedding: false, head: false, norm: true },
      lisaWeights: [1, 0.5],
      prompts: ['a & b'],
    };
    expect(encodeConfig(config)).toBe('lr=2e-7&lisaLayers=3&lisaWeights=1,0.5&alwaysOn=norm&prompts=%5B%22a%20%26%20b%22%5D');
    expect(decodeConfig(`#${encodeConfig(config)}`)).toEqual({
      config,
      given: ['lr', 'lisaLayers', 'lisaWeights', 'alwaysOn', 'prompts'],
      dropped: [],
    });
  });

  it('decode(encode(c)) is c, as far as it may be shared', () => {
    const roundTrip = (config: RunConfig): void => {
      const { config: decoded, dropped } = decodeConfig(encodeConfig(config));
      expect(decoded).toEqual(shareable(config));
      expect(dropped).toEqual([]);
    };
    fc.assert(fc.property(anyConfig, roundTrip), { numRuns: 300 });
    fc.assert(fc.property(fewChanges, roundTrip), { numRuns: 300 });
  });

  it('holds nothing of the data, of local names, or of long prompts', () => {
    const secret = 'Patient-4711';
    const config = { ...DEFAULTS, model: secret, data: `${secret}.csv`, evalData: secret, columns: { prompt: secret } };
    expect(encodeConfig(config)).toBe('');
    expect(encodeConfig({ ...config, prompts: [secret.repeat(60)] })).toBe('');
    const { config: read, given } = decodeConfig('model=a&data=b&evalData=c&columns=d&seed=5');
    expect(read).toEqual({ ...DEFAULTS, seed: 5 });
    expect(given).toEqual(['seed']);
  });

  it('half-typed numbers are left out', () => {
    expect(encodeConfig({ ...DEFAULTS, steps: NaN, seed: 3 })).toBe('seed=3');
  });

  it('drops values that an option cannot have and reports them', () => {
    const link =
      '#steps=ten&lr=-1&method=sgd&packing=1&alwaysOn=embedding,tail&seed=4&seed=5&gradClip=%&evalEvery&eps=Infinity&stepsPerPeriod=0x10';
    const { config, given, dropped } = decodeConfig(link);
    expect(config).toEqual({ ...DEFAULTS, seed: 4 });
    expect(given).toEqual(['seed']);
    expect(dropped.map(({ name }) => name)).toEqual([
      'steps',
      'lr',
      'method',
      'packing',
      'alwaysOn',
      'seed',
      'gradClip',
      'evalEvery',
      'eps',
      'stepsPerPeriod',
    ]);
    expect(dropped[0].expected).toBe('a whole number from 1 to 10,000,000');
    expect(decodeConfig('x'.repeat(20_000)).dropped).toHaveLength(1);
  });

  it('never throws, and never gives a value out of range', () => {
    const keys = [...Object.keys(DEFAULTS), '__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.double().map(String),
      fc.constantFrom('%', '%E0%A4%A', 'null'),
    );
    const pairs = fc
      .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 12 })
      .map((list) => list.map(([key, text]) => `${key}=${text}`).join('&'));
    const sound = (link: string): void => {
      const { config } = decodeConfig(link);
      expect(Object.keys(config).sort()).toEqual(Object.keys(DEFAULTS).sort());
      for (const key of Object.keys(DEFAULTS) as (keyof RunConfig)[]) expect(checkValue(key, config[key]).ok, key).toBe(true);
      // Encoding and decoding what was read gives the same again.
      expect(decodeConfig(encodeConfig(config)).config).toEqual(shareable(config));
    };
    fc.assert(fc.property(fc.oneof(pairs, fc.string({ unit: 'binary', maxLength: 200 })), sound), { numRuns: 400 });
  });
});

describe('files', () => {
  it('hold everything', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        expect(readConfigFile(writeConfigFile(config), 'f.json').config).toEqual(config);
      }),
    );
  });

  it('leave what they do not name to the defaults', () => {
    const text = JSON.stringify({ format: 'lisa-studio settings', version: 1, settings: { method: 'full', steps: 40 } });
    expect(readConfigFile(text, 'f.json')).toEqual({
      config: { ...DEFAULTS, method: 'full', steps: 40, lr: METHOD_LR.full, warmup: 4 },
      given: ['method', 'steps'],
    });
  });

  it('are refused as a whole, with what is wrong', () => {
    const file = (settings: unknown): string => JSON.stringify({ format: 'lisa-studio settings', version: 1, settings });
    const detail = (text: string): string => {
      try {
        readConfigFile(text, 'f.json');
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
        return (thrown as { detail: string }).detail;
      }
      return '';
    };
    expect(detail('{')).toBe('f.json is not valid JSON.');
    expect(detail('[]')).toBe('f.json is not a settings file.');
    expect(detail('{"format":"lisa-studio settings","version":9}')).toBe('f.json has version 9.');
    expect(detail(file([]))).toBe('f.json has no settings in it.');
    expect(detail(file({ stepz: 3, seed: -1 }))).toBe(
      'f.json: "stepz" is not a setting; seed must be a whole number from 0 to 4,294,967,295.',
    );
    expect(detail(file({ a: 1, b: 1, c: 1, d: 1, e: 1 }))).toContain('; and 2 more.');
    expect(detail('{"format":"lisa-studio settings","version":1,"settings":{"__proto__":{"steps":1}}}')).toContain('not a setting');
  });

  it('with any content give settings or CONFIG_INVALID', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((settings) => JSON.stringify({ format: 'lisa-studio settings', version: 1, settings })),
        ),
        (text) => {
          try {
            readConfigFile(text, 'f.json');
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('presets', () => {
  it('each is itself until one of its keys is edited', () => {
    for (const { id, patch } of PRESETS) {
      const config = { ...DEFAULTS, seed: 9, ...patch };
      expect(presetOf(config)).toBe(id);
      expect(presetOf({ ...config, steps: patch.steps + 1 })).toBe('custom');
    }
    expect(presetOf(DEFAULTS)).toBe('default');
  });

  it('can run', () => {
    for (const { patch } of PRESETS)
      for (const [key, value] of Object.entries(patch)) expect(checkValue(key as NumericKey, value).ok).toBe(true);
  });
});
