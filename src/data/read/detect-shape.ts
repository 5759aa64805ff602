// Finds the format of data from what it holds: of a file the ending of its name is only a hint, of a pasted text there is none.

import { ROW_SHAPES, SHAPE_NAMES, type ColumnMap } from './column-map';
import { csvRecords, SEPARATORS, type Separator } from './csv';
import { suggestColumns } from './columns';

/** JSON, a table, or one continuous text. */
export type FileKind = 'jsonl' | 'csv' | 'plain';

const KINDS: Readonly<Record<string, FileKind>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'jsonl',
  csv: 'csv',
  tsv: 'csv',
  tab: 'csv',
  txt: 'plain',
  text: 'plain',
  md: 'plain',
  // Its rows come as JSON lines.
  parquet: 'jsonl',
};

/** Endings of data files, without the dot. */
export const DATA_ENDINGS: readonly string[] = [...Object.keys(KINDS), 'gz'];

const endingOf = (name: string): string => /\.([^./\\]+)$/.exec(name.replace(/\.gz$/i, ''))?.[1].toLowerCase() ?? '';

/** The format that a file's name promises; undefined if the ending is unknown. */
export const kindOf = (name: string): FileKind | undefined => KINDS[endingOf(name)];

export const hasTabs = (name: string): boolean => ['tsv', 'tab'].includes(endingOf(name));

/** The format of a file by its name and its beginning; undefined if neither says it. */
export function foundKind(name: string, beginning: string): FileKind | undefined {
  const promised = kindOf(name);
  const start = beginning.trimStart();
  if (startsAsJson(start)) return 'jsonl';
  if (promised === 'jsonl' && !/^\s*[[{]/m.test(beginning) && isTable(start)) return 'csv';
  if (promised !== undefined) return promised;
  return /^[[{]/.test(start) ? 'jsonl' : isTable(start) ? 'csv' : undefined;
}

/** Whether a text begins with a JSON object, or with a list of objects or lists. */
function startsAsJson(start: string): boolean {
  if (!/^(?:\{\s*"|\[\s*[[{])/.test(start)) return false;
  const line = start.split('\n', 1)[0];
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null;
  } catch {
    // Over several lines, a key or a bracket comes next.
    return /^(?:\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*[[{]\s*["{])/.test(start);
  }
}

/** The ending that fits a text. */
export type TextShape = 'jsonl' | 'csv' | 'txt';

/** How many records of a table are looked at, and how many are needed to accept columns with unknown names. */
const LOOKED_AT = 20;
const BELIEVED = 3;
/** Columns of a table that anybody trains on; what has more is no table, or transposed. */
export const MOST_FIELDS = 2 ** 16;
/** Most words in a column's name. */
const NAME_WORDS = 3;

export function detectShape(text: string): TextShape {
  const start = text.trimStart();
  if (start.startsWith('{') || startsAsJson(start)) return 'jsonl';
  return isTable(start) ? 'csv' : 'txt';
}

const isTable = (text: string): boolean => SEPARATORS.some((separator) => isTableWith(text, separator));

const knownShape = (header: readonly string[]): boolean =>
  SHAPE_NAMES.some((shape) => ROW_SHAPES[shape].needs.every((role) => header.includes(role)));
const named = (fields: readonly string[]): string[] => fields.map((name) => name.trim().toLowerCase());

/** A header with known or likely columns, or several records with as many fields as the header has short names. */
function isTableWith(text: string, separator: Separator): boolean {
  const records: (readonly string[])[] = [];
  for (const { fields, fault } of csvRecords(text, separator)) {
    if (fault || records.length === LOOKED_AT) break;
    records.push(fields);
  }
  if (records.length < 2) return false;
  const header = named(records[0]);
  if (knownShape(header) && (header.length > 1 || separator === ',')) return true;
  if (header.length < 2) return false;
  const alike = records.every((fields) => fields.length === header.length);
  if (suggestColumns(header) !== null) return alike;
  // In prose a space follows a comma.
  const isName = (name: string): boolean => /^\S/.test(name) && !/[.!?]$/.test(name) && name.split(/\s+/).length <= NAME_WORDS;
  return alike && records.length >= BELIEVED && new Set(header).size === header.length && records[0].every(isName);
}

/** What separates the fields of a table: what gives its header the columns that are known or asked for, else the most columns. */
export function separatorOf(text: string, map: ColumnMap | null, tabs: boolean): Separator {
  const asked = map && Object.values(map).map((name) => name.trim().toLowerCase());
  const score = (separator: Separator): number => {
    const [record] = csvRecords(text, separator);
    const header = named((record?.fields ?? []).slice(0, MOST_FIELDS));
    const wanted = asked ? asked.every((name) => header.includes(name)) : knownShape(header);
    const own = separator === (tabs ? '\t' : ',') ? 0.5 : 0;
    if (wanted) return 100 + own + Math.min(header.length, 50);
    if (header.length < 2) return own;
    return (suggestColumns(header) === null ? 0 : 50) + own + Math.min(header.length, 40);
  };
  return SEPARATORS.map((separator) => ({ separator, score: score(separator) })).reduce((best, one) =>
    one.score > best.score ? one : best,
  ).separator;
}
