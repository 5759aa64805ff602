// A CSV file as records of its header's columns. Known fields are found in any case; columns of other names keep the
// header's spelling, and a map may spell them in any case.

import { ROW_SHAPES, SHAPE_NAMES, shapeOfColumns, COLUMN_ROLES, type ColumnMap, type ColumnRole } from './column-map';
import { mapHint, MOST_COLUMNS } from './columns';
import type { CsvRecord } from './csv';
import { MOST_FIELDS } from './detect-shape';
import { KNOWN_SHAPES, type RowFault } from './rows';

export interface CsvHeader {
  /** 1-based line. */
  readonly line: number;
  /** The columns as the file spells them, trimmed. */
  readonly columns: readonly string[];
  /** The map in the header's spelling. */
  readonly map: ColumnMap | null;
  /** Why none of the file's rows can be read, and what to do about it. */
  readonly fault: { readonly reason: string; readonly remedy: string } | null;
}

/** A record's line, and either its fields by column or what is wrong with it. */
export type CsvRow = { readonly line: number } & ({ readonly value: unknown } | { readonly fault: RowFault });

const lower = (name: string): string => name.trim().toLowerCase();
const isRole = (name: string): name is ColumnRole => COLUMN_ROLES.some((role) => role === name);

/** The first record of a table as its header; keys: under what a row's fields go. */
export function csvHeader(
  line: number,
  fields: readonly string[],
  map: ColumnMap | null,
  broken?: string,
): CsvHeader & { readonly keys: readonly string[] } {
  if (fields.length > MOST_FIELDS) {
    const columns = fields.slice(0, MOST_COLUMNS);
    const reason = `the header has ${fields.length} columns, and at most ${MOST_FIELDS} are read`;
    return { line, columns, map, keys: columns, fault: { reason, remedy: 'Keep the columns to train on.' } };
  }
  const columns = fields.map((field) => field.trim());
  const keys = columns.map((column) => (isRole(lower(column)) ? lower(column) : column));
  return { ...headerOf(line, columns, map, broken), keys };
}

function headerOf(line: number, columns: readonly string[], asked: ColumnMap | null, broken?: string): CsvHeader {
  const named = columns.map(lower);
  const keyOf = (name: string): string | undefined => {
    const at = named.indexOf(lower(name));
    return at < 0 ? undefined : isRole(named[at]) ? named[at] : columns[at];
  };
  const map = asked && Object.fromEntries(Object.entries(asked).map(([role, column]) => [role, keyOf(column) ?? column]));
  const shape = map ? shapeOfColumns(map) : SHAPE_NAMES.find((name) => ROW_SHAPES[name].needs.every((role) => named.includes(role)));
  const base = { line, columns, map };
  const begin = `Begin the file with a line that names the columns, separated by commas, tabs or semicolons: ${KNOWN_SHAPES}.`;
  const twice = firstTwice(named);
  if (broken !== undefined) return { ...base, fault: { reason: `a column of the header is malformed: ${broken}`, remedy: begin } };
  if (twice !== undefined) return { ...base, fault: { reason: `the header names column '${twice}' twice`, remedy: begin } };
  const listed = `the header has the columns ${columns
    .slice(0, 8)
    .map((column) => `'${column}'`)
    .join(', ')}`;
  if (!shape)
    return {
      ...base,
      fault: { reason: listed, remedy: columns.length > 1 ? `${mapHint(columns)} Or rename them: ${KNOWN_SHAPES}.` : begin },
    };
  const missing = ROW_SHAPES[shape].needs.find((role) => keyOf(map?.[role] ?? role) === undefined);
  const optional = ROW_SHAPES[shape].may.find((role) => map?.[role] !== undefined && keyOf(map[role]) === undefined);
  const lacking = missing ?? optional;
  if (lacking === undefined) return { ...base, fault: null };
  const column = map?.[lacking];
  const what = column === undefined ? `'${lacking}'` : `'${column}' (mapped to ${lacking})`;
  return { ...base, fault: { reason: `${listed}, and no ${what}`, remedy: 'Map the fields to columns of the file.' } };
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => name !== '' && (seen.has(name) || !seen.add(name)));
}

/** A record below the header as an object of its columns. */
export function csvRow(
  { line, fields, fault }: Pick<CsvRecord, 'line' | 'fields' | 'fault'>,
  keys: readonly string[],
  { columns, map }: CsvHeader,
): CsvRow {
  // A messages column holds JSON.
  const shape = map && shapeOfColumns(map);
  const json = map?.messages ?? (shape === null || shape === 'messages' ? 'messages' : null);
  if (fault) {
    const column = `column ${fault.field} (${columns[fault.field - 1] ?? 'beyond the header'})`;
    return { line, fault: { field: column, reason: `is malformed: ${fault.reason}` } };
  }
  if (fields.length !== keys.length)
    return { line, fault: { field: 'the row', reason: `has ${fields.length} fields where the header has ${keys.length}` } };
  const value: Record<string, unknown> = Object.fromEntries(keys.map((key, i) => [key, fields[i]]));
  return { line, ...(json !== null && Object.hasOwn(value, json) ? withJson(value, json) : { value }) };
}

function withJson(value: Readonly<Record<string, unknown>>, column: string): { readonly value: unknown } | { readonly fault: RowFault } {
  try {
    return { value: { ...value, [column]: JSON.parse(String(value[column])) as unknown } };
  } catch {
    return { fault: { field: `column ${column}`, reason: 'is not valid JSON' } };
  }
}
