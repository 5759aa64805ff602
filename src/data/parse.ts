// A data file to rows. The name's ending says how it is written: .jsonl (also .ndjson, .json with one object a line),
// .csv, or .txt (also .text, .md), which is one continuous document.

import type { ColumnMap } from '../config';
import type { RowShape } from '../config-columns';
import { AppError } from '../errors';
import { ColumnCount } from './columns';
import { csvTable } from './csv-table';
import { kindOf } from './detect-shape';
import { jsonLines } from './jsonl';
import { KNOWN_SHAPES, recordToRow, type RowFault } from './rows';
import { finish, type Steps } from './steps';
import type { BadRow, DataRow } from './types';

/** 'messages' and so on for JSON lines, 'csv:messages' for CSV, 'mixed' where rows differ, 'plain' for one text. */
export type DataFormat = RowShape | 'mixed' | `csv:${RowShape | 'mixed'}` | 'plain';

export interface ParsedData {
  readonly name: string;
  readonly format: DataFormat;
  readonly rows: readonly DataRow[];
  /** Rows that were passed over, with badRows 'skip'. */
  readonly badRows: readonly BadRow[];
}

/** A file as far as it can be read. */
export interface ReadData extends Omit<ParsedData, 'format'> {
  /** Null where there is no row. */
  readonly format: DataFormat | null;
  /** Columns of a CSV header or keys of the JSON rows, most frequent first; empty for plain text. */
  readonly columns: readonly string[];
  /** Why no row can be used, bad ones skipped or not. */
  readonly refusal: AppError | null;
}

export interface DataFile {
  /** File name or path; its ending chooses the parser, and errors name it. */
  readonly name: string;
  readonly text: string;
}

export interface ParseOptions {
  readonly badRows: 'refuse' | 'skip';
  readonly columns?: ColumnMap | null;
}

/** The error of one malformed row; names file, row, field and reason. */
export function rowError(name: string, { row, reason, remedy }: BadRow): AppError {
  return new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, remedy ?? 'Correct the row, or have bad rows skipped.');
}

/**
 * Reads a whole file. Errors: DATASET_READ for an ending that is not known, DATASET_PARSE for a malformed row
 * (badRows 'refuse') or a CSV header without known columns, DATASET_EMPTY where no row is left.
 */
export function parseData(file: DataFile, options: ParseOptions): ParsedData {
  const { name, format, rows, badRows, ...read } = finish(readData(file, options.columns ?? null));
  const refusal = parseRefusal({ name, format, rows, badRows, ...read }, options.badRows);
  if (refusal) throw refusal;
  return { name, format: format!, rows, badRows };
}

/** Why a run refuses what was read, or null. */
export function parseRefusal({ name, badRows, refusal }: ReadData, bad: 'refuse' | 'skip'): AppError | null {
  return bad === 'refuse' && badRows.length > 0 ? rowError(name, badRows[0]) : refusal;
}

/** Reads on over every fault of a row. Yields the share of the text that is read. Errors: DATASET_READ. */
export function* readData(file: DataFile, columns: ColumnMap | null): Steps<ReadData> {
  const { name } = file;
  const kind = kindOf(name);
  if (!kind) throw new AppError('DATASET_READ', `${name} is no kind of data file that is known here.`, 'Give a .jsonl, .csv or .txt file.');
  const text = file.text.startsWith('\ufeff') ? file.text.slice(1) : file.text;

  if (text.trim() === '') return { name, format: null, columns: [], rows: [], badRows: [], refusal: emptyError(name, []) };
  if (kind === 'plain') {
    return { name, format: 'plain', columns: [], rows: [{ kind: 'text', text, row: 1 }], badRows: [], refusal: null };
  }
  const table = kind === 'csv' ? csvTable(text, columns) : null;
  const map = table ? table.header.map : columns;
  const names = new ColumnCount();
  const rows: DataRow[] = [];
  const badRows: BadRow[] = [];
  const shapes = new Set<RowShape>();
  let stepAt = 0;
  for (const record of table?.rows ?? jsonRecords(text, names)) {
    const result = 'fault' in record ? record : recordToRow(record.value, record.line, map);
    if ('fault' in result) {
      const { field, reason, remedy } = result.fault;
      badRows.push({ row: record.line, reason: `${field} ${reason}`, ...(remedy === undefined ? {} : { remedy }) });
    } else {
      rows.push(result.row);
      shapes.add(result.format);
    }
    if (record.end < stepAt + CHARACTERS_A_STEP) continue;
    stepAt = record.end;
    yield record.end / text.length;
  }
  const [first] = shapes;
  const shape = shapes.size > 1 ? 'mixed' : first;
  const refusal =
    rows.length > 0 ? null : table?.header.fault ? headerError(name, table.header.line, table.header.fault) : emptyError(name, badRows);
  return {
    name,
    format: rows.length === 0 ? null : table ? `csv:${shape}` : shape,
    columns: table ? table.header.columns : names.names(),
    rows,
    badRows,
    refusal,
  };
}

const CHARACTERS_A_STEP = 100_000;

/** Every row has the header's columns, so a header without a known shape is the file's fault and not a row's. */
const headerError = (name: string, line: number, { reason, remedy }: { readonly reason: string; readonly remedy: string }): AppError =>
  new AppError('DATASET_PARSE', `${name}, row ${line}: ${reason}.`, remedy);

function emptyError(name: string, bad: readonly BadRow[]): AppError {
  const detail = bad.length > 0 ? `All ${bad.length} rows of ${name} are malformed.` : `${name} holds no data.`;
  const hint = bad.find(({ remedy }) => remedy !== undefined);
  if (hint) return new AppError('DATASET_EMPTY', `${detail} Row ${hint.row}: ${hint.reason}.`, hint.remedy!);
  return new AppError('DATASET_EMPTY', detail, `Give at least one row with ${KNOWN_SHAPES}, or a text file that is not empty.`);
}

type FileRecord = { readonly line: number; readonly end: number } & ({ readonly value: unknown } | { readonly fault: RowFault });

function* jsonRecords(text: string, columns: ColumnCount): Generator<FileRecord> {
  for (const entry of jsonLines(text)) {
    if ('problem' in entry) {
      yield { line: entry.line, end: entry.end, fault: { field: 'the row', reason: entry.problem } };
      continue;
    }
    if (typeof entry.value === 'object' && entry.value !== null && !Array.isArray(entry.value)) columns.add(Object.keys(entry.value));
    yield entry;
  }
}

/**
 * Text of a file's bytes, without a byte order mark. DATASET_PARSE names the first line that is not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const row = firstBadLine(bytes);
    if (row === null) {
      throw new AppError('DATASET_READ', `${name} is too large to be read as one text (${bytes.length} bytes).`, 'Split the file.', {
        cause: error,
      });
    }
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const reason = utf16 ? 'the file is UTF-16' : 'the text is not valid UTF-8';
    throw new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, 'Save the file as UTF-8.', { cause: error });
  }
}

/** 1-based line of the first byte sequence that is not UTF-8. A line feed byte is never part of a longer character. */
function firstBadLine(bytes: Uint8Array): number | null {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  for (let at = 0; at < bytes.length;) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found;
    line++;
    try {
      decoder.decode(bytes.subarray(at, end));
    } catch {
      return line;
    }
    at = end + 1;
  }
  return null;
}
