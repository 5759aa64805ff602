// Values of a template as Python has them. Strings, booleans and null stand for str, bool and None; numbers are ints; everything
// else has a class of its own, because Python spells, compares or copies it in its own way. Strings count in characters (code points).

import type { Budget } from './budget';
import { missing, TemplateError } from './template-error';

export class Float {
  constructor(readonly value: number) {}
}

export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}

/** What groupby makes: a pair with names. */
export class Group extends Tuple {}

/** What map, select and the like return, and views of dicts: iterable once or more, not indexable. */
export class Iterable {
  constructor(
    readonly items: readonly Value[],
    /** How Python shows it; null for a generator. */
    readonly view: 'dict_keys' | 'dict_values' | 'dict_items' | null = null,
  ) {}
}

export class Range extends Iterable {
  constructor(
    readonly start: number,
    readonly stop: number,
    readonly step: number,
    length: number,
  ) {
    super(Array.from({ length }, (_, i) => start + i * step));
  }
}

export type Dict = Map<Value, Value>;

/** namespace(): attributes that `set ns.x = ...` may change. */
export class Namespace {
  constructor(readonly values: Dict) {}
}

/** An object with fixed attributes, such as `loop`. */
export class Attributes {
  constructor(readonly get: (name: string) => Value | undefined) {}
}

export class Undefined {
  constructor(readonly name: string) {}
  refuse(): never {
    throw new TemplateError(`${this.name} is undefined`);
  }
}

export type Kwargs = ReadonlyMap<string, Value>;

/** null is a value of templates, so `??` will not do. */
export const orElse = (value: Value | undefined, other: () => Value): Value => (value === undefined ? other() : value);

export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: readonly Value[], kwargs: Kwargs, budget: Budget) => Value,
  ) {}
}

export type Value =
  string | number | boolean | null | Float | Tuple | Iterable | Value[] | Dict | Namespace | Attributes | Undefined | Callable;

export const isNumber = (value: Value): value is number | Float | boolean =>
  typeof value === 'number' || typeof value === 'boolean' || value instanceof Float;
export const toNumber = (value: number | Float | boolean): number => (value instanceof Float ? value.value : Number(value));

export function int(value: number): number {
  if (!Number.isSafeInteger(value)) throw missing('a whole number of more than 53 bits');
  return value === 0 ? 0 : value;
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  if (value instanceof Float) return 'float';
  if (value instanceof Tuple) return 'tuple';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'dict';
  if (value instanceof Range) return 'range';
  if (value instanceof Iterable) return value.view ?? 'generator';
  if (value instanceof Undefined) return 'Undefined';
  return value instanceof Callable ? 'function' : 'object';
}

export function truthy(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0 || value instanceof Undefined) return false;
  if (value instanceof Float) return value.value !== 0;
  if (value instanceof Tuple) return value.items.length > 0;
  if (value instanceof Iterable) return (value.view === null && !(value instanceof Range)) || value.items.length > 0;
  if (Array.isArray(value)) return value.length > 0;
  return value instanceof Map ? value.size > 0 : true;
}

export function equal(a: Value, b: Value, depth = 0): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return toNumber(a) === toNumber(b);
  if (a instanceof Undefined && b instanceof Undefined) return true;
  if (depth > MAX_NESTING) throw missing(`comparing values nested more than ${MAX_NESTING} deep`);
  if (a instanceof Tuple && b instanceof Tuple) return sameItems(a.items, b.items, depth);
  if (Array.isArray(a) && Array.isArray(b)) return sameItems(a, b, depth);
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key)!, depth + 1));
  }
  return false;
}

const sameItems = (a: readonly Value[], b: readonly Value[], depth: number): boolean =>
  a.length === b.length && a.every((item, i) => equal(item, b[i], depth + 1));

/** Below, at and above zero for a < b, a = b and a > b. Throws as Python for values without an order. */
export function compare(a: Value, b: Value, operator = '<'): number {
  if (isNumber(a) && isNumber(b)) return toNumber(a) - toNumber(b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const [x, y] = [a, b].map((value) => (value instanceof Tuple ? value.items : value));
  if (Array.isArray(x) && Array.isArray(y) && Array.isArray(a) === Array.isArray(b)) {
    for (let i = 0; i < x.length && i < y.length; i++)
      if (!equal(x[i] as Value, y[i] as Value)) return compare(x[i] as Value, y[i] as Value, operator);
    return x.length - y.length;
  }
  if (a instanceof Undefined) a.refuse();
  if (b instanceof Undefined) b.refuse();
  throw new TemplateError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** By code points; JavaScript's own order is by UTF-16 units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i > 0 && /[\udc00-\udfff]/.test(a[i] ?? b[i]) && /[\ud800-\udbff]/.test(a[i - 1])) i--;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** The items that a loop sees. */
export function iterate(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [...value];
  if (value instanceof Tuple || value instanceof Iterable) return value.items;
  if (value instanceof Map) return [...value.keys()];
  if (value instanceof Undefined) return [];
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

export const isIterable = (value: Value): boolean =>
  typeof value === 'string' || Array.isArray(value) || [Tuple, Iterable, Map, Undefined].some((type) => value instanceof type);

const ASTRAL = /[\ud800-\udbff][\udc00-\udfff]/g;
/** Characters of a text: code points. */
export const textLength = (text: string): number => text.length - (text.match(ASTRAL)?.length ?? 0);

export function lengthOf(value: Value): number {
  if (typeof value === 'string') return textLength(value);
  if (value instanceof Map) return value.size;
  const countable = isIterable(value) && !(value instanceof Iterable && value.view === null && !(value instanceof Range));
  if (!countable) throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
  return iterate(value).length;
}

/** Values nested deeper are refused instead of overflowing the stack. */
export const MAX_NESTING = 100;

/** Python's str(). */
export const str = (value: Value): string => (typeof value === 'string' ? value : value instanceof Undefined ? '' : repr(value));

/** Python's repr(). */
export function repr(value: Value, depth = 0): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return reprText(value);
  if (value instanceof Float) return reprFloat(value.value);
  if (depth > MAX_NESTING) throw missing(`values nested more than ${MAX_NESTING} deep`);
  const all = (items: readonly Value[]): string => items.map((item) => repr(item, depth + 1)).join(', ');
  if (Array.isArray(value)) return `[${all(value)}]`;
  if (value instanceof Tuple) return value.items.length === 1 ? `(${all(value.items)},)` : `(${all(value.items)})`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${repr(key, depth + 1)}: ${repr(item, depth + 1)}`).join(', ')}}`;
  if (value instanceof Range) return `range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`;
  if (value instanceof Iterable && value.view) return `${value.view}([${all(value.items)}])`;
  if (value instanceof Undefined) return 'Undefined';
  throw missing(`writing a ${typeName(value)}`);
}

/** Shortest digits that give the number again, like JavaScript's, but with an exponent from 1e16 on and below 1e-4. */
export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [digits, exponent] = value.toExponential().split('e');
    const power = Number(exponent);
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const SHORT: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function reprText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = '';
  for (const character of text) {
    if (character === quote) out += `\\${quote}`;
    else if (Object.hasOwn(SHORT, character)) out += SHORT[character];
    else if (UNPRINTABLE.test(character)) {
      const code = character.codePointAt(0)!;
      out += code < 0x100 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
    } else out += character;
  }
  return quote + out + quote;
}

export const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

/** Plain data (from JSON) as values of a template. Numbers with a fraction become floats. */
export function fromData(data: unknown, depth = 0): Value {
  if (data === null || data === undefined) return null;
  if (typeof data === 'string' || typeof data === 'boolean') return data;
  if (typeof data === 'number') return Number.isSafeInteger(data) ? data : new Float(data);
  if (depth > MAX_NESTING) throw missing(`values nested more than ${MAX_NESTING} deep`);
  if (data instanceof Float || data instanceof Callable) return data;
  if (Array.isArray(data)) return data.map((item: unknown) => fromData(item, depth + 1));
  const entries = data instanceof Map ? [...(data as Map<string, unknown>)] : Object.entries(data);
  return new Map(entries.map(([key, value]) => [key, fromData(value, depth + 1)]));
}
