// Arguments of filters, tests and methods, by place or by name, with defaults.

import type { Budget } from './budget';
import { TemplateError } from './template-error';
import { isNumber, toNumber, typeName, type Kwargs, type Value } from './values';

/** A method of a type of Python. */
export type Method<T> = (self: T, args: readonly Value[], kwargs: Kwargs, budget: Budget) => Value;

/** The values of the named parameters in order; undefined where none was given. Throws for too many, unknown or repeated ones. */
export function bind(what: string, names: readonly string[], args: readonly Value[], kwargs: Kwargs): (Value | undefined)[] {
  if (args.length > names.length) throw new TemplateError(`${what} takes at most ${names.length} arguments, and got ${args.length}`);
  const values: (Value | undefined)[] = names.map((_, i) => args[i]);
  for (const [name, value] of kwargs) {
    const at = names.indexOf(name);
    if (at < 0) throw new TemplateError(`${what} got an unexpected argument '${name}'`);
    if (values[at] !== undefined) throw new TemplateError(`${what} got several values for '${name}'`);
    values[at] = value;
  }
  return values;
}

export function wholeNumber(value: Value | undefined, fallback: number, what: string): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  throw new TemplateError(`${what}: '${typeName(value)}' object cannot be interpreted as an integer`);
}

export function anyNumber(value: Value, what: string): number {
  if (isNumber(value)) return toNumber(value);
  throw new TemplateError(`${what}: must be a number, not ${typeName(value)}`);
}

export function text(value: Value | undefined, what: string, fallback?: string): string {
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value === 'string') return value;
  throw new TemplateError(`${what}: expected str, found ${value === undefined ? 'nothing' : typeName(value)}`);
}
