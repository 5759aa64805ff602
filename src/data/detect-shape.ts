// How a pasted text is written, told by its beginning. A file says it by its name.

import { ROW_SHAPES, SHAPE_NAMES } from '../config-columns';
import { csvRecords } from './csv';
import { suggestColumns } from './columns';

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
