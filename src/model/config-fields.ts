// Typed access to the fields of an untrusted config.json. It knows nothing about models: the caller says what a field means. It
// remembers every field that was read, so that the caller can check the fields that nobody read.

import { AppError } from '../base/errors';

/** Any untrusted value as a short piece of one printable line. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : jsonText(value);
  const line = text.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // JSON.parse accepts any depth, but JSON.stringify only as much as the stack holds.
    return 'a value nested too deep to show';
  }
}

/** Null, an empty object or an empty list: a setting that is not there. */
export const isEmpty = (value: unknown): boolean => typeof value === 'object' && (value === null || Object.keys(value).length === 0);

export class Fields {
  private readonly values: ReadonlyMap<string, unknown>;
  private readonly asked = new Set<string>();

  constructor(
    json: object,
    private readonly file: string,
    private readonly prefix = '',
  ) {
    // Own properties only: a key such as "constructor" is absent unless the file has it.
    this.values = new Map<string, unknown>(Object.entries(json));
  }

  path(name: string): string {
    return this.prefix + name;
  }

  get(name: string): unknown {
    this.asked.add(name);
    return this.values.get(name);
  }

  /** Present and not null. */
  has(name: string): boolean {
    return (this.get(name) ?? null) !== null;
  }

  /** Fields of the file that nobody has read. */
  unread(): [string, unknown][] {
    return [...this.values].filter(([name]) => !this.asked.has(name));
  }

  garbage(name: string, value: unknown, expected: string): AppError {
    const found = value === undefined ? 'is missing' : `is ${shown(value)}`;
    return new AppError('MODEL_CONFIG', `${this.file}: ${this.path(name)} ${found}.`, `It must be ${expected}.`);
  }

  unsupported(name: string, value: unknown, expected: string): AppError {
    const detail = `${this.file}: ${this.path(name)} is ${shown(value)}, which changes the maths in a way that is not implemented.`;
    return new AppError('MODEL_UNSUPPORTED', detail, `Choose a model with ${this.path(name)} ${expected}.`);
  }

  /** A field that this family's config does not have. */
  unknown(name: string, value: unknown, family: string): AppError {
    const detail = `${this.file}: ${this.path(name)} is ${shown(value)}, which seems to change the maths, but ${family} models have no such field.`;
    return new AppError(
      'MODEL_UNSUPPORTED',
      detail,
      'Choose a model without it. If transformers ignores the field, delete it from config.json.',
    );
  }

  text(name: string, expected: string): string {
    const value = this.get(name);
    if (typeof value !== 'string' || value === '') throw this.garbage(name, value, expected);
    return value;
  }

  /** A whole number from 1 to max. With a fallback, null and absence mean the fallback. */
  size(name: string, max: number, fallback?: number): number {
    const value = this.get(name);
    if (fallback !== undefined && !this.has(name)) return fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max)
      throw this.garbage(name, value, `a whole number from 1 to ${max}`);
    return value;
  }

  /** A number above 0 and at most max. */
  number(name: string, max: number, fallback?: number): number {
    const value = this.get(name) === undefined ? fallback : this.get(name);
    if (typeof value !== 'number' || !(value > 0 && value <= max)) throw this.garbage(name, value, `a number above 0 and at most ${max}`);
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.has(name) ? this.get(name) : fallback;
    if (typeof value !== 'boolean') throw this.garbage(name, value, 'true or false');
    return value;
  }

  /** One of the supported values, which all have the fallback's type: another type is malformed, another value unsupported. */
  only<T extends string | number | boolean>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.has(name) ? this.get(name) : fallback;
    const match = allowed.find((candidate) => candidate === value);
    if (match !== undefined) return match;
    const expected = allowed.map((candidate) => shown(candidate)).join(' or ');
    throw typeof value === typeof fallback ? this.unsupported(name, value, expected) : this.garbage(name, value, expected);
  }

  object(name: string): Fields | null {
    const value = this.get(name);
    if ((value ?? null) === null) return null;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.garbage(name, value, 'an object, null or absent');
    return new Fields(value, this.file, `${this.path(name)}.`);
  }
}
