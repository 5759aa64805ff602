// Damaged files of our own kinds that anybody may hand on: settings, and an importance profile.

import { describe, expect, it } from 'vitest';
import { MAX_LAYERS } from '../../config/importance';
import { readConfigFile, writeConfigFile } from '../../config/file';
import { CONFIG_KEYS, DEFAULTS, keyNamed, METHOD_LR } from '../../config/run-config';
import { readProfile, writeProfile, type ImportanceProfile } from '../../lisa/profile';
import { damagedJson } from './mutate';
import { hostile, TIMEOUT_MS } from './run';

const parsed = (text: string): unknown => JSON.parse(text);

describe('damaged files of our own', () => {
  it(
    'settings',
    () => {
      const bases = [DEFAULTS, { ...DEFAULTS, method: 'lora' as const, prompts: ['one', 'two'], evalSplit: 0.25 }];
      hostile(
        'settings',
        damagedJson(bases.map((config) => parsed(writeConfigFile(config)))),
        (text) => readConfigFile(text, 'settings.json'),
        ({ config, given }, text) => {
          const { format, version, settings } = parsed(text) as { format: string; version: number; settings: Record<string, unknown> };
          expect({ format, version }).toEqual({ format: 'lisa-studio settings', version: 1 });
          // What is given is what the file says, in place of nothing else; the rest has its default.
          expect([...given].sort()).toEqual([...new Set(Object.keys(settings).map(keyNamed))].sort());
          for (const key of CONFIG_KEYS) {
            const written = Object.entries(settings).findLast(([name]) => keyNamed(name) === key);
            if (!written) expect(config[key]).toEqual(key === 'lr' ? METHOD_LR[config.method] : DEFAULTS[key]);
            else if (typeof written[1] !== 'object' || written[1] === null) expect(config[key]).toEqual(written[1]);
          }
        },
      );
    },
    TIMEOUT_MS,
  );

  const PROFILES: readonly ImportanceProfile[] = [
    {
      source: 'lora',
      model: { name: 'm', fingerprint: '0123456789abcdef', layers: 2 },
      data: { name: 'd.jsonl', rows: 3 },
      norms: {
        settings: { rank: 4, alpha: 8, lr: 1e-3, seed: 1, batchSize: 2, gradAccum: 1, seqLen: 16 },
        steps: [{ step: 1, loss: 2, update: [1, 2], a: [1, 1], b: [0.5, 1] }],
        base: [4, 4],
        merged: [4.5, 4.75],
        full: null,
      },
      steps: 1,
      weights: [1 / 3, 2 / 3],
    },
    {
      source: 'painted',
      model: { name: 'm', fingerprint: null, layers: 3 },
      data: null,
      norms: null,
      steps: 0,
      weights: [0.25, 0.25, 0.5],
    },
  ];

  it(
    'an importance profile',
    () => {
      hostile(
        'importance profile',
        damagedJson(PROFILES.map((profile) => parsed(writeProfile(profile)))),
        (text) => readProfile(text, 'profile.json'),
        ({ weights, model, steps }, text) => {
          const json = parsed(text) as ImportanceProfile;
          expect([...weights]).toEqual(json.weights);
          expect({ layers: model.layers, steps }).toEqual({ layers: json.model.layers, steps: json.steps });
          expect(weights.length).toBe(model.layers);
          expect(model.layers).toBeLessThanOrEqual(MAX_LAYERS);
          for (const weight of weights) expect(Number.isFinite(weight) && weight >= 0).toBe(true);
        },
      );
    },
    TIMEOUT_MS,
  );
});
