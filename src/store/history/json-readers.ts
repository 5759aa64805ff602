// Checked reading of JSON that somebody else may have written: a reader takes an unknown value and returns it with its
// type, or throws Unreadable with the path of what is wrong. Unknown keys are left out. Pure.

export class Unreadable extends Error {
  constructor(
    readonly path: string,
    readonly expected: string,
  ) {
    super(`${path || 'the file'} is not ${expected}`);
    this.name = 'Unreadable';
  }
}

export type Reader<T> = (value: unknown, path: string) => T;

export const text: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw new Unreadable(path, 'a text');
  return value;
};

export const flag: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new Unreadable(path, 'true or false');
  return value;
};

/** A finite number. */
export const number: Reader<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Unreadable(path, 'a number');
  return value;
};

/** A whole number from 0, as counts, steps and bytes are. */
export const count: Reader<number> = (value, path) => {
  const whole = number(value, path);
  if (!Number.isSafeInteger(whole) || whole < 0) throw new Unreadable(path, 'a whole number from 0');
  return whole;
};

/** A number, or null for one that JSON cannot hold: NaN. */
export const measured: Reader<number> = (value, path) => (value === null ? NaN : number(value, path));

export const oneOf =
  <T extends string>(...values: readonly T[]): Reader<T> =>
  (value, path) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Unreadable(path, `one of ${values.join(', ')}`);
    return found;
  };

export const nullable =
  <T>(reader: Reader<T>): Reader<T | null> =>
  (value, path) =>
    value === null ? null : reader(value, path);

export const list =
  <T>(reader: Reader<T>): Reader<T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new Unreadable(path, 'a list');
    return value.map((item: unknown, i) => reader(item, `${path}[${i}]`));
  };

/** Keys whose value may be missing have a reader that takes undefined: see `optional`. */
export const object =
  <T extends object>(readers: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<T> =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unreadable(path, 'an object');
    const own = new Map<string, unknown>(Object.entries(value));
    const read: Partial<T> = {};
    for (const key of Object.keys(readers) as (keyof T & string)[]) {
      const part: T[typeof key] = readers[key](own.get(key), path === '' ? key : `${path}.${key}`);
      if (part !== undefined) read[key] = part;
    }
    return read as T;
  };

export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, path) =>
    value === undefined ? undefined : reader(value, path);
