// How data are written: a file says it by the ending of its name, a pasted text by its beginning.

import { ROW_SHAPES, SHAPE_NAMES } from './column-map';
import { csvRecords } from './csv';
import { suggestColumns } from './columns';

/** JSON lines, a CSV table, or one continuous text. */
export type FileKind = 'jsonl' | 'csv' | 'plain';

const KINDS: Readonly<Record<string, FileKind>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'jsonl',
  csv: 'csv',
  txt: 'plain',
  text: 'plain',
  md: 'plain',
};

/** Endings of data files, without the dot. */
export const DATA_ENDINGS: readonly string[] = Object.keys(KINDS);

/** How a file of this name is written; undefined where the ending is no known one. */
export const kindOf = (name: string): FileKind | undefined => KINDS[/\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? ''];

/** The ending that fits a text. */
export type TextShape = 'jsonl' | 'csv' | 'txt';

/** Records of a table that are looked at, and how many there must be to believe in columns of unknown names. */
const LOOKED_AT = 20;
const BELIEVED = 3;
/** Words of a column's name, at most. */
const NAME_WORDS = 3;

export function detectShape(text: string): TextShape {
  const start = text.trimStart();
  if (start.startsWith('{')) return 'jsonl';
  return isTable(start) ? 'csv' : 'txt';
}

/** A header with known or likely columns, or several records of as many fields as their header has short names. */
function isTable(text: string): boolean {
  const records: (readonly string[])[] = [];
  for (const { fields, fault } of csvRecords(text)) {
    if (fault || records.length === LOOKED_AT) break;
    records.push(fields);
  }
  if (records.length < 2) return false;
  const header = records[0].map((name) => name.trim().toLowerCase());
  if (SHAPE_NAMES.some((shape) => ROW_SHAPES[shape].needs.every((role) => header.includes(role)))) return true;
  if (header.length < 2) return false;
  const alike = records.every((fields) => fields.length === header.length);
  if (suggestColumns(header) !== null) return alike;
  // In prose a space follows a comma.
  const isName = (name: string): boolean => /^\S/.test(name) && !/[.!?]$/.test(name) && name.split(/\s+/).length <= NAME_WORDS;
  return alike && records.length >= BELIEVED && new Set(header).size === header.length && records[0].every(isName);
}
