// What is wrong with a record, and how a value is named to a person.

/** The field, as a person would write it ('messages[1].role'), and the reason. */
export interface RowFault {
  readonly field: string;
  readonly reason: string;
  /** Made only when it is reported, because a file may have the same fault in every row. */
  readonly remedy?: () => string;
}

export type Read<T> = { readonly value: T } | { readonly fault: RowFault };

/** A field of a record, read from the column that holds it. */
export interface Field {
  readonly value: unknown;
  /** In errors: the column, and what it was mapped to. */
  readonly name: string;
  /** In errors about a part of it. */
  readonly column: string;
}

export const fault = (field: string, reason: string, remedy?: () => string): { readonly fault: RowFault } => ({
  fault: { field, reason, remedy },
});

/** A value in a few words. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value that says nothing: a key with it may be there without being read. */
export const saysNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

export const readString = ({ value, name }: Field): Read<string> =>
  typeof value === 'string' ? { value } : fault(name, `is ${describe(value)}${value === undefined ? '' : ' and not a string'}`);
