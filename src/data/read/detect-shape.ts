// Finds the format of data: of a file by the ending of its name, of a pasted text by its beginning.

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

/** The format of a file with this name; undefined if the ending is unknown. */
export const kindOf = (name: string): FileKind | undefined => KINDS[/\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? ''];

/** The ending that fits a text. */
export type TextShape = 'jsonl' | 'csv' | 'txt';

/** How many records of a table are looked at, and how many are needed to accept columns with unknown names. */
const LOOKED_AT = 20;
const BELIEVED = 3;
/** Most words in a column's name. */
const NAME_WORDS = 3;

export function detectShape(text: string): TextShape {
  const start = text.trimStart();
  if (start.startsWith('{')) return 'jsonl';
  return isTable(start) ? 'csv' : 'txt';
}

/** A header with known or likely columns, or several records with as many fields as the header has short names. */
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
