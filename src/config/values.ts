// Is this value, from a link or a file that anybody may have written, one that an option can have? Pure; every
// option has one rule, and the type of the table keeps it complete.

import { BOUNDS, type ConfigKey, type NumericKey, type RunConfig } from './run-config';
import { COLUMN_ROLES, type ColumnMap } from '../data/read/column-map';

/** Longest text and lists that are taken over from outside. */
const MAX_TEXT = 4096;
const MAX_PROMPTS = 64;
const MAX_WEIGHTS = BOUNDS.lisaLayers.max;

/** The value, or a sentence fragment that says what it should have been. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

const good = <T>(value: T): Checked<T> => ({ ok: true, value });
const bad = (expected: string): Checked<never> => ({ ok: false, expected });

type Rule<T> = (value: unknown) => Checked<T>;

const oneOf =
  <T extends string>(...values: readonly T[]): Rule<T> =>
  (value) => {
    const found = values.find((candidate) => candidate === value);
    return found === undefined ? bad(`one of ${values.join(', ')}`) : good(found);
  };

const flag: Rule<boolean> = (value) => (typeof value === 'boolean' ? good(value) : bad('true or false'));

const text: Rule<string> = (value) =>
  typeof value === 'string' && value.length <= MAX_TEXT ? good(value) : bad(`a text of at most ${MAX_TEXT} characters`);

const textOrNull: Rule<string | null> = (value) => (value === null ? good(null) : text(value));

function numeric(key: NumericKey): Rule<number> {
  const { min, max, integer, open }: { min: number; max: number; integer: boolean; open?: boolean } = BOUNDS[key];
  const expected = `${integer ? 'a whole number' : 'a number'} ${open ? 'above' : 'from'} ${min} ${open ? 'and at most' : 'to'} ${max.toLocaleString('en-US', { maximumFractionDigits: 7 })}`;
  return (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return bad(expected);
    const inside = (open ? value > min : value >= min) && value <= max && (!integer || Number.isInteger(value));
    // −0 is 0, and would not survive being written.
    return inside ? good(value === 0 ? 0 : value) : bad(expected);
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Own properties, and no others than these. */
const onlyKeys = (value: Readonly<Record<string, unknown>>, allowed: readonly string[]): boolean =>
  Object.keys(value).every((key) => allowed.includes(key));

const EDGES = ['embedding', 'head', 'norm'] as const;

const alwaysOn: Rule<RunConfig['lisaTrain']> = (value) => {
  const expected = 'embedding, head and norm, each true or false';
  if (!isObject(value) || !onlyKeys(value, EDGES)) return bad(expected);
  const { embedding, head, norm } = value;
  return typeof embedding === 'boolean' && typeof head === 'boolean' && typeof norm === 'boolean'
    ? good({ embedding, head, norm })
    : bad(expected);
};

const weights: Rule<RunConfig['lisaWeights']> = (value) => {
  if (value === null) return good(null);
  const expected = `a list of 1 to ${MAX_WEIGHTS} numbers from 0`;
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_WEIGHTS) return bad(expected);
  const list: readonly unknown[] = value;
  const numbers = list.filter((weight): weight is number => typeof weight === 'number' && Number.isFinite(weight) && weight >= 0);
  return numbers.length === list.length ? good(numbers.map((weight) => (weight === 0 ? 0 : weight))) : bad(expected);
};

const columnMap: Rule<RunConfig['columns']> = (value) => {
  if (value === null) return good(null);
  const expected = `the name of a column for any of ${COLUMN_ROLES.join(', ')}`;
  if (!isObject(value) || !onlyKeys(value, COLUMN_ROLES)) return bad(expected);
  const entries = Object.entries(value).filter((entry): entry is [string, string] => text(entry[1]).ok);
  return entries.length === Object.keys(value).length ? good(Object.fromEntries(entries) as ColumnMap) : bad(expected);
};

const promptList: Rule<RunConfig['prompts']> = (value) => {
  const expected = `at most ${MAX_PROMPTS} texts of at most ${MAX_TEXT} characters`;
  if (!Array.isArray(value) || value.length > MAX_PROMPTS) return bad(expected);
  const list: readonly unknown[] = value;
  const texts = list.filter((prompt): prompt is string => text(prompt).ok);
  return texts.length === list.length ? good(texts) : bad(expected);
};

const NUMBERS = Object.fromEntries((Object.keys(BOUNDS) as NumericKey[]).map((key) => [key, numeric(key)])) as Readonly<
  Record<NumericKey, Rule<number>>
>;

const RULES: { readonly [key in ConfigKey]: Rule<RunConfig[key]> } = {
  ...NUMBERS,
  model: text,
  data: text,
  evalData: textOrNull,
  method: oneOf('lisa', 'full', 'lora'),
  lrSchedule: oneOf('cosine', 'linear', 'constant'),
  lisaSampler: oneOf('uniform', 'cycle', 'bernoulli', 'weighted'),
  lisaWeights: weights,
  lisaTrain: alwaysOn,
  lisaState: oneOf('drop', 'park'),
  weights: oneOf('f32', 'stored'),
  mask: oneOf('assistant', 'all'),
  packing: flag,
  shuffle: flag,
  badRows: oneOf('refuse', 'skip'),
  columns: columnMap,
  dedupe: flag,
  prompts: promptList,
  sampleAt: oneOf('log', 'ends'),
  measureUpdates: flag,
};

/** Checked by itself: what options demand of each other, and of the model, is for configFaults to say. */
export const checkValue = <K extends ConfigKey>(key: K, value: unknown): Checked<RunConfig[K]> => RULES[key](value);

export const isConfigKey = (key: string): key is ConfigKey => Object.hasOwn(RULES, key);
