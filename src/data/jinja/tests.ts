// Jinja's tests: `x is name`.

import { anyNumber } from './arguments';
import { contains } from './operators';
import { TemplateError } from './template-error';
import { Callable, compare, equal, Float, isIterable, isNumber, Range, Tuple, Undefined, type Value } from './values';

type Test = (value: Value, args: readonly Value[]) => boolean;

const order =
  (accepts: (difference: number) => boolean, operator: string): Test =>
  (value, [other]) =>
    accepts(compare(value, other, operator));
const same: Test = (value, [other]) => equal(value, other);
const other: Test = (value, [second]) => !equal(value, second);
const whole = (value: Value): number => anyNumber(value, 'a test of numbers');
const rest = (a: number, b: number): number => ((a % b) + b) % b;
const casing = (value: Value, wanted: 'upper' | 'lower'): boolean => {
  const text = typeof value === 'string' ? value : '';
  return /\p{L}/u.test(text) && text === (wanted === 'upper' ? text.toUpperCase() : text.toLowerCase());
};

export const TESTS: Readonly<Record<string, Test>> = {
  boolean: (value) => typeof value === 'boolean',
  // As in Python, an undefined value can be called, which then fails.
  callable: (value) => value instanceof Callable || value instanceof Undefined,
  defined: (value) => !(value instanceof Undefined),
  divisibleby(value, [by]) {
    if (whole(by) === 0) throw new TemplateError('integer modulo by zero');
    return rest(whole(value), whole(by)) === 0;
  },
  even: (value) => rest(whole(value), 2) === 0,
  false: (value) => value === false,
  float: (value) => value instanceof Float,
  in: (value, [container]) => contains(container, value),
  integer: (value) => typeof value === 'number',
  iterable: (value) => isIterable(value),
  lower: (value) => casing(value, 'lower'),
  mapping: (value) => value instanceof Map,
  none: (value) => value === null,
  number: (value) => isNumber(value),
  odd: (value) => rest(whole(value), 2) === 1,
  sameas: (value, [second]) => (value instanceof Float && second instanceof Float ? false : value === second),
  sequence: (value) =>
    typeof value === 'string' ||
    Array.isArray(value) ||
    value instanceof Map ||
    value instanceof Tuple ||
    value instanceof Range ||
    value instanceof Undefined,
  string: (value) => typeof value === 'string',
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => casing(value, 'upper'),
  eq: same,
  equalto: same,
  '==': same,
  ne: other,
  '!=': other,
  lt: order((d) => d < 0, '<'),
  lessthan: order((d) => d < 0, '<'),
  '<': order((d) => d < 0, '<'),
  le: order((d) => d <= 0, '<='),
  '<=': order((d) => d <= 0, '<='),
  gt: order((d) => d > 0, '>'),
  greaterthan: order((d) => d > 0, '>'),
  '>': order((d) => d > 0, '>'),
  ge: order((d) => d >= 0, '>='),
  '>=': order((d) => d >= 0, '>='),
};
