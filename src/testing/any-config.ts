// Draws any configuration that a run could have, for tests that cover the whole table of settings.

import fc from 'fast-check';
import { FIELDS } from '../config/fields';
import { CONFIG_KEYS, type ConfigKey, type OwnKey, type RunConfig } from '../config/run-config';
import { COLUMN_ROLES } from '../data/read/column-map';

const anything = fc.string({ unit: 'grapheme', maxLength: 40 });
const positive = (value: number): number => (value === 0 ? 0 : value); // −0 is 0
const weight = fc.double({ min: 0, max: 1e6, noNaN: true }).map(positive);

/** Values of the settings that are neither a number, a choice nor a switch. */
const OWN: { readonly [K in OwnKey]: fc.Arbitrary<RunConfig[K]> } = {
  model: anything,
  data: anything,
  evalData: fc.option(anything),
  columns: fc.option(fc.dictionary(fc.constantFrom(...COLUMN_ROLES), anything, { noNullPrototype: true })),
  lisaWeights: fc.option(fc.array(weight, { minLength: 1, maxLength: 40 })),
  lisaProfile: fc.option(
    fc
      .record({
        source: fc.constantFrom('lora', 'updates', 'gradients', 'painted'),
        steps: fc.nat(1000),
        weights: fc.array(weight, { minLength: 1, maxLength: 40 }).filter((weights) => weights.some((w) => w > 0)),
      })
      .map((use) => ({ ...use, fingerprint: use.source === 'painted' ? null : '0123456789abcdef' })),
  ),
  lisaEmbedding: fc.option(fc.constantFrom('on', 'off', 'rows', 'sampled')),
  saveEvery: fc.option(fc.integer({ min: 0, max: 10_000_000 })),
  lisaHead: fc.option(fc.constantFrom('on', 'off', 'rows', 'sampled')),
  lisaNorm: fc.option(fc.constantFrom('on', 'off', 'sampled')),
  alwaysOn: fc.record({ embedding: fc.boolean(), head: fc.boolean(), norm: fc.boolean() }),
  prompts: fc.array(anything, { maxLength: 30 }),
};

/** Any value that the setting can have. */
export function anyValue(key: ConfigKey): fc.Arbitrary<unknown> {
  const field = FIELDS[key];
  switch (field.type) {
    case 'number': {
      const { min, max, integer, open } = field;
      return integer ? fc.integer({ min, max }) : fc.double({ min, max, minExcluded: open, noNaN: true }).map(positive);
    }
    case 'choice':
      return fc.constantFrom(...(field.values as readonly unknown[]));
    case 'toggle':
      return fc.boolean();
    case 'own':
      return OWN[key as OwnKey];
  }
}

/** Every setting at once, each with any value that it can have. */
export const anyConfig: fc.Arbitrary<RunConfig> = fc.record(
  Object.fromEntries(CONFIG_KEYS.map((key) => [key, anyValue(key)])),
) as unknown as fc.Arbitrary<RunConfig>;
