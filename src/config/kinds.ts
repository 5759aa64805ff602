// The kinds of values that settings have. A setting with a shape of its own (a list, a map, switches) brings its kind along,
// next to its row.

import { bad, good, refused, type Checked, type Fault, type Kind, type ModelBounds, type OwnKind } from './field';

/** Characters of the longest text that is accepted from a link or a file. */
export const MAX_TEXT = 4096;

/** The last text counts, as is usual on a command line. */
export const last = (texts: readonly string[]): string => texts.at(-1) ?? '';

/** The largest value that a model allows. */
export interface ModelLimit {
  /** What the limit is called while no model is known: 'the number of layers'. */
  readonly name: string;
  max(model: ModelBounds): number;
  /** A sentence about a value above it. */
  problem(value: number, model: ModelBounds): string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  /** min itself is not allowed. */
  readonly open: boolean;
  readonly limit?: ModelLimit;
}

export interface NumberKind extends Kind<number>, Bounds {
  readonly type: 'number';
}

const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 7 });

/** The range that holds for this model: 'a whole number from 1 to 8'. */
function rangeOf({ min, max, integer, open, limit }: Bounds, model?: ModelBounds): string {
  const most = limit && !model ? limit.name : count(limit && model ? Math.min(max, limit.max(model)) : max);
  return `${integer ? 'a whole number' : 'a number'} ${open ? 'above' : 'from'} ${min} ${open ? 'and at most' : 'to'} ${most}`;
}

function problemOf(value: number, { min, max, integer, open, limit }: Bounds, model?: ModelBounds): string | null {
  if (!Number.isFinite(value)) return 'This is not a number.';
  if (value < min || (open && value === min)) return `${value} is too small.`;
  if (limit && model && value > limit.max(model)) return limit.problem(value, model);
  if (value > max) return `${value} is too large.`;
  return integer && !Number.isInteger(value) ? `${value} is not a whole number.` : null;
}

function numberKind(bounds: Bounds): NumberKind {
  const fault = (value: number, model?: ModelBounds): Fault | null => {
    const problem = problemOf(value, bounds, model);
    return problem === null ? null : { problem, remedy: `Enter ${rangeOf(bounds, model)}.` };
  };
  return {
    ...bounds,
    type: 'number',
    placeholder: 'number',
    // −0 is 0, and would not survive being written.
    check: (value) => (typeof value === 'number' && !fault(value) ? good(value === 0 ? 0 : value) : bad(rangeOf(bounds))),
    fault,
    parse: (texts) => {
      const value = last(texts).trim() === '' ? NaN : Number(last(texts));
      return Number.isFinite(value) ? good(value) : refused(`'${last(texts)}' is not a number.`, `Enter ${rangeOf(bounds)}.`);
    },
    toFlag: (value) => [String(value)],
    toLink: String,
    fromLink: readNumber,
  };
}

/** Returns NaN, which no setting accepts, for anything but a plain decimal number. */
export const readNumber = (text: string): number => (/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN);

/** A whole number; `limit` where the model may allow less. */
export const whole = (min: number, max: number, limit?: ModelLimit): NumberKind =>
  numberKind({ min, max, integer: true, open: false, limit });

/** A number from min to max. */
export const real = (min: number, max: number): NumberKind => numberKind({ min, max, integer: false, open: false });

/** A number above min, and at most max. */
export const above = (min: number, max: number): NumberKind => numberKind({ min, max, integer: false, open: true });

export interface ChoiceKind<T extends string> extends Kind<T> {
  readonly type: 'choice';
  readonly values: readonly T[];
}

/** One of a few words. */
export function choice<T extends string>(...values: readonly T[]): ChoiceKind<T> {
  const expected = `one of ${values.join(', ')}`;
  const check = (value: unknown): Checked<T> => {
    const found = values.find((candidate) => candidate === value);
    return found === undefined ? bad(expected) : good(found);
  };
  return {
    type: 'choice',
    values,
    placeholder: values.join('|'),
    check,
    parse: (texts) => {
      const checked = check(last(texts));
      return checked.ok ? checked : refused(`'${last(texts)}' is not known.`, `Enter ${expected}.`);
    },
    toFlag: (value) => [value],
    toLink: (value) => value,
    fromLink: (text) => text,
  };
}

export interface ToggleKind extends Kind<boolean> {
  readonly type: 'toggle';
}

/** True or false; on and off on the command line. */
export const toggle: ToggleKind = {
  type: 'toggle',
  placeholder: 'on|off',
  check: (value) => (typeof value === 'boolean' ? good(value) : bad('true or false')),
  parse: (texts) => {
    const text = last(texts);
    return text === 'on' || text === 'off' ? good(text === 'on') : refused(`'${text}' is not known.`, 'Enter on or off.');
  },
  toFlag: (value) => [value ? 'on' : 'off'],
  toLink: String,
  fromLink: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

/** Any text. `placeholder`: what it stands for. */
export const text = (placeholder: string): OwnKind<string> => ({
  type: 'own',
  placeholder,
  check: (value) => (typeof value === 'string' && value.length <= MAX_TEXT ? good(value) : bad(`a text of at most ${MAX_TEXT} characters`)),
  parse: (texts) => good(last(texts)),
  toFlag: (value) => [value],
  toLink: (value) => value,
  fromLink: (given) => given,
});

/** A value of the kind, or null if the option is left out. A link cannot express null, and need not if null is the default. */
export const optional = <T>(kind: Kind<T>): OwnKind<T | null> => ({
  ...kind,
  type: 'own',
  check: (value) => (value === null ? good(null) : kind.check(value)),
  fault: (value, model) => (value === null ? null : (kind.fault?.(value, model) ?? null)),
  toFlag: (value) => (value === null ? [] : kind.toFlag(value)),
  toLink: (value) => (value === null ? '' : kind.toLink(value)),
});

/** The value of a JSON text; undefined if the text is not JSON. */
export function readJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object has these properties and no others. */
export const onlyKeys = (value: Readonly<Record<string, unknown>>, allowed: readonly string[]): boolean =>
  Object.keys(value).every((key) => allowed.includes(key));
