// One JSON object around all rows: {"data": [rows]}, LMFlow's {"type", "instances"}, the pages of the Hub's data viewer, a list or a
// dict for each column, rows by number. Read if its meaning is plain; else the file is told what it is.

import { ROW_SHAPES, SHAPE_NAMES, type ColumnMap } from './column-map';
import { isObject } from './faults';
import { looksLikeMessage } from './messages';
import type { FileRecord } from './records';
import type { JsonObject } from './types';

type Value = Extract<FileRecord, { value: unknown }>;

/** The rows of a wrapper, or the record itself if it is a row. `before`: records so far. */
export function unwrapped(record: Value, map: ColumnMap | null, before: number): readonly FileRecord[] {
  const { value, line } = record;
  if (!isObject(value)) return [record];
  const rows = rowsWithin(value, map);
  if (rows === null) return [record];
  if (typeof rows === 'string') return [{ line, fault: { field: 'the file', reason: rows } }];
  return rows.map((row, i) => ({ line: before + i + 1, value: row }));
}

const isRows = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.length > 0 && value.every((row) => (isObject(row) && !looksLikeMessage(row)) || isConversation(row));
const isConversation = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(looksLikeMessage);

/** The rows inside; a text that says why it cannot be read; null for an object that is a row. */
function rowsWithin(value: JsonObject, map: ColumnMap | null): readonly unknown[] | string | null {
  const keys = Object.keys(value);
  const columns = columnRows(value, map);
  if (columns) return columns;
  const mapped = map && Object.values(map).some((column) => Object.hasOwn(value, column));
  if (mapped || SHAPE_NAMES.some((shape) => ROW_SHAPES[shape].needs.every((role) => Object.hasOwn(value, role)))) return null;
  const lists = keys.filter((key) => isRows(value[key]));
  if (lists.length > 1)
    return `is one object with several lists of rows (${lists.slice(0, 4).join(', ')}): save the one that you want as a file of its own`;
  if (lists.length === 1) return (value[lists[0]] as readonly unknown[]).map((row) => inner(row, value.type));
  // Rows by their number: {"0": {...}, "1": {...}}.
  if (keys.length > 1 && keys.every((key) => /^\d+$/.test(key) && isObject(value[key]))) return Object.values(value);
  return null;
}

/** The Hub's data viewer puts each row into an object with its number; LMFlow says how it calls its fields. */
function inner(row: unknown, type: unknown): unknown {
  if (!isObject(row)) return row;
  if (isObject(row.row) && 'row_idx' in row) return row.row;
  if (type === 'text2text' && typeof row.input === 'string' && typeof row.output === 'string') {
    const { input, output, ...rest } = row;
    return { prompt: input, completion: output, ...rest };
  }
  return row;
}

/** {"prompt": [a, b], "completion": [c, d]}, or with dicts by number, as pandas writes tables. */
function columnRows(value: JsonObject, map: ColumnMap | null): readonly unknown[] | null {
  const names = Object.keys(value);
  const has = (name: string): boolean => Object.hasOwn(value, name);
  const known = map ? Object.values(map).every(has) : SHAPE_NAMES.some((shape) => ROW_SHAPES[shape].needs.every(has));
  if (!known || names.length === 0) return null;
  const columns = names.map((name) => {
    const column = value[name];
    if (Array.isArray(column)) return column.every((cell) => !isObject(cell)) ? (column as unknown[]) : null;
    return isObject(column) && Object.keys(column).length > 0 && Object.keys(column).every((key) => /^\d+$/.test(key))
      ? Object.values(column)
      : null;
  });
  const [first] = columns;
  if (!first || first.length === 0 || columns.some((column) => column?.length !== first.length)) return null;
  return first.map((_, i) => Object.fromEntries(names.map((name, c) => [name, columns[c]![i]])));
}
