// A data file to rows. The name's ending says how it is written: .jsonl (also .ndjson, .json with one object a line),
// .csv, or .txt (also .text, .md), which is one continuous document.

import { AppError } from '../errors';
import { csvRecords } from './csv';
import { jsonLines } from './jsonl';
import { KNOWN_SHAPES, recordToRow, type RowFault, type RowFormat } from './rows';
import type { BadRow, DataRow } from './types';

/** 'messages' and so on for JSON lines, 'csv:messages' for CSV, 'mixed' where rows differ, 'plain' for one text. */
export type DataFormat = RowFormat | 'mixed' | `csv:${RowFormat | 'mixed'}` | 'plain';

export interface ParsedData {
  readonly name: string;
  readonly format: DataFormat;
  readonly rows: readonly DataRow[];
  /** Rows that were passed over, with badRows 'skip'. */
  readonly badRows: readonly BadRow[];
}

export interface DataFile {
  /** File name or path; its ending chooses the parser, and errors name it. */
  readonly name: string;
  readonly text: string;
}

const KINDS: Readonly<Record<string, 'jsonl' | 'csv' | 'plain'>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'jsonl',
  csv: 'csv',
  txt: 'plain',
  text: 'plain',
  md: 'plain',
};

/** The error of one malformed row; names file, row, field and reason. */
export function rowError(name: string, row: number, reason: string): AppError {
  return new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, 'Correct the row, or have bad rows skipped.');
}

/**
 * Reads a whole file. Errors: DATASET_READ for an ending that is not known, DATASET_PARSE for a malformed row
 * (badRows 'refuse') or a CSV header without known columns, DATASET_EMPTY where no row is left.
 */
export function parseData(file: DataFile, { badRows }: { readonly badRows: 'refuse' | 'skip' }): ParsedData {
  const { name } = file;
  const kind = KINDS[/\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? ''];
  if (!kind) throw new AppError('DATASET_READ', `${name} is no kind of data file that is known here.`, 'Give a .jsonl, .csv or .txt file.');
  const text = file.text.startsWith('\ufeff') ? file.text.slice(1) : file.text;

  if (text.trim() === '') throw emptyError(name, 0);
  if (kind === 'plain') {
    return { name, format: 'plain', rows: [{ kind: 'text', text, row: 1 }], badRows: [] };
  }

  const rows: DataRow[] = [];
  const skipped: BadRow[] = [];
  const formats = new Set<RowFormat>();
  for (const record of kind === 'csv' ? csvRows(name, text) : jsonRows(text)) {
    const result = 'fault' in record ? record : recordToRow(record.value, record.line);
    if (!('fault' in result)) {
      rows.push(result.row);
      formats.add(result.format);
      continue;
    }
    const reason = `${result.fault.field} ${result.fault.reason}`;
    if (badRows === 'refuse') throw rowError(name, record.line, reason);
    skipped.push({ row: record.line, reason });
  }
  if (rows.length === 0) throw emptyError(name, skipped.length);
  const [first] = formats;
  const shape = formats.size === 1 ? first : 'mixed';
  return { name, format: kind === 'csv' ? `csv:${shape}` : shape, rows, badRows: skipped };
}

function emptyError(name: string, bad: number): AppError {
  const detail = bad ? `All ${bad} rows of ${name} are malformed.` : `${name} holds no data.`;
  return new AppError('DATASET_EMPTY', detail, `Give at least one row with ${KNOWN_SHAPES}, or a text file that is not empty.`);
}

type FileRecord = { readonly line: number; readonly value: unknown } | { readonly line: number; readonly fault: RowFault };

function* jsonRows(text: string): Generator<FileRecord> {
  for (const entry of jsonLines(text)) {
    yield 'problem' in entry ? { line: entry.line, fault: { field: 'the row', reason: entry.problem } } : entry;
  }
}

/** CSV records as objects of the header's columns. A messages column holds JSON. */
function* csvRows(name: string, text: string): Generator<FileRecord> {
  let header: string[] | null = null;
  for (const { line, fields, fault } of csvRecords(text)) {
    if (!header) {
      header = fields.map((field) => field.trim().toLowerCase());
      checkHeader(name, line, header, fault?.reason);
      continue;
    }
    if (fault) {
      yield {
        line,
        fault: {
          field: `column ${fault.field} (${header[fault.field - 1] ?? 'beyond the header'})`,
          reason: `is malformed: ${fault.reason}`,
        },
      };
    } else if (fields.length !== header.length) {
      yield { line, fault: { field: 'the row', reason: `has ${fields.length} fields where the header has ${header.length}` } };
    } else {
      yield { line, ...csvRecordOf(header, fields) };
    }
  }
}

function csvRecordOf(header: readonly string[], fields: readonly string[]): { readonly value: unknown } | { readonly fault: RowFault } {
  const value: { [key: string]: unknown } = Object.fromEntries(header.map((key, i) => [key, fields[i]]));
  if (Object.hasOwn(value, 'messages')) {
    try {
      value.messages = JSON.parse(String(value.messages));
    } catch {
      return { fault: { field: 'column messages', reason: 'is not valid JSON' } };
    }
  }
  return { value };
}

/** Every row has the header's columns, so a header without a known shape is the file's fault and not a row's. */
function checkHeader(name: string, line: number, header: readonly string[], fault?: string): void {
  const has = (...keys: string[]): boolean => keys.every((key) => header.includes(key));
  const twice = header.find((key, i) => key !== '' && header.indexOf(key) !== i);
  const known = has('messages') || has('prompt', 'completion') || has('instruction', 'output') || has('text');
  if (!fault && !twice && known) return;
  const columns = header
    .slice(0, 8)
    .map((key) => `'${key}'`)
    .join(', ');
  const reason = fault
    ? `a column of the header is malformed: ${fault}`
    : twice
      ? `the header names column '${twice}' twice`
      : `the header has the columns ${columns}`;
  throw new AppError(
    'DATASET_PARSE',
    `${name}, row ${line}: ${reason}.`,
    `Begin the file with a line that names the columns, separated by commas: ${KNOWN_SHAPES}.`,
  );
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
