// Reads a data file into rows. The name's ending gives the format: .jsonl (also .ndjson, .json: one object per line, or a list
// of them), .csv, or .txt (also .text, .md), which is one continuous document.

import type { RowShape, ColumnMap } from './column-map';
import { AppError } from '../../base/errors';
import { kindOf, type FileKind } from './detect-shape';
import { CsvTableRecords, JsonRecords, type FileRecord, type Records } from './records';
import { KNOWN_SHAPES, recordToRow } from './rows';
import { finish, type Steps } from '../sample/steps';
import { badLine } from './text-stream';
import type { BadRow, DataRow } from './types';

/** 'messages' and so on for JSON lines, 'csv:messages' for CSV, 'mixed' where rows differ, 'plain' for one text. */
export type DataFormat = RowShape | 'mixed' | `csv:${RowShape | 'mixed'}` | 'plain';

export interface ParsedData {
  readonly name: string;
  readonly format: DataFormat;
  readonly rows: readonly DataRow[];
  /** Rows that were skipped, with badRows 'skip'. */
  readonly badRows: readonly BadRow[];
}

/** What can be read of a file. */
export interface ReadData extends Omit<ParsedData, 'format'> {
  /** Null if there are no rows. */
  readonly format: DataFormat | null;
  /** Columns of a CSV header or keys of the JSON rows, most frequent first; empty for plain text. */
  readonly columns: readonly string[];
  /** Why no row can be used, whether bad rows are skipped or not. */
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
  return new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, remedy ?? 'Fix the row, or choose to skip bad rows.');
}

/**
 * Reads a whole file. Errors: DATASET_READ for an unknown ending, DATASET_PARSE for a malformed row (badRows 'refuse') or a
 * CSV header without known columns, DATASET_EMPTY if no row is left.
 */
export function parseData(file: DataFile, options: ParseOptions): ParsedData {
  const { name, format, rows, badRows, ...read } = finish(readData(file, options.columns ?? null));
  const refusal = parseRefusal({ name, badRows, ...read }, options.badRows);
  if (refusal) throw refusal;
  return { name, format: format!, rows, badRows };
}

/** Why a run refuses what was read, or null. */
export function parseRefusal(
  { name, badRows, refusal }: Pick<ReadData, 'name' | 'badRows' | 'refusal'>,
  bad: 'refuse' | 'skip',
): AppError | null {
  return bad === 'refuse' && badRows.length > 0 ? rowError(name, badRows[0]) : refusal;
}

/** Continues after a faulty row. Yields the share of the text that is read. Errors: DATASET_READ. */
export function* readData(file: DataFile, columns: ColumnMap | null): Steps<ReadData> {
  const rows: DataRow[] = [];
  const texts: string[] = [];
  const reader = new DataReader(file.name, columns);
  const text = file.text.startsWith('\ufeff') ? file.text.slice(1) : file.text;
  for (let at = 0; at < text.length; at += CHARACTERS_A_STEP) {
    const piece = text.slice(at, at + CHARACTERS_A_STEP);
    if (reader.kind === 'plain') texts.push(piece);
    rows.push(...reader.push(piece));
    yield at / text.length;
  }
  rows.push(...reader.end());
  const facts = reader.facts();
  if (facts.format === 'plain') rows.push({ kind: 'text', text: texts.join(''), row: 1 });
  return { ...facts, rows };
}

/** What is known about a file once it is read, besides its rows. */
export type FileFacts = Omit<ReadData, 'rows'>;

/** Text in, rows out, piece by piece. Continues after a faulty row. Errors: DATASET_READ. */
export class DataReader {
  readonly kind: FileKind;
  readonly #records: Records | null;
  readonly #badRows: BadRow[] = [];
  readonly #shapes = new Set<RowShape>();
  #hasRemedy = false;
  #blank = true;
  #rows = 0;

  constructor(
    private readonly name: string,
    columns: ColumnMap | null,
  ) {
    const kind = kindOf(name);
    if (!kind) throw new AppError('DATASET_READ', `${name} is not a supported file type.`, 'Choose a .jsonl, .csv or .txt file.');
    this.kind = kind;
    this.#records = kind === 'plain' ? null : kind === 'csv' ? new CsvTableRecords(columns) : new JsonRecords(columns);
  }

  /** Rows that end in this piece. Plain text has none, because its pieces are the text. */
  *push(text: string): Generator<DataRow> {
    this.#blank &&= text.trim() === '';
    if (this.#records) yield* this.#read(this.#records.push(text));
  }

  *end(): Generator<DataRow> {
    if (this.#records && !this.#blank) yield* this.#read(this.#records.end());
  }

  facts(): FileFacts {
    const base = { name: this.name, columns: this.#records?.columns ?? [], badRows: this.#badRows };
    if (this.#blank) return { ...base, columns: [], format: null, refusal: emptyError(this.name, []) };
    if (!this.#records) return { ...base, format: 'plain', refusal: null };
    const { header } = this.#records;
    const [first] = this.#shapes;
    const shape = this.#shapes.size > 1 ? 'mixed' : first;
    const refusal =
      this.#rows > 0 ? null : header?.fault ? headerError(this.name, header.line, header.fault) : emptyError(this.name, this.#badRows);
    return { ...base, format: this.#rows === 0 ? null : this.kind === 'csv' ? `csv:${shape}` : shape, refusal };
  }

  *#read(records: Iterable<FileRecord>): Generator<DataRow> {
    for (const record of records) {
      const result = 'fault' in record ? record : recordToRow(record.value, record.line, this.#records!.map);
      if ('fault' in result) {
        const { field, reason, remedy } = result.fault;
        // Only one row is reported, so one remedy is enough.
        const told = remedy && !this.#hasRemedy ? { remedy: remedy() } : {};
        this.#hasRemedy ||= remedy !== undefined;
        this.#badRows.push({ row: record.line, reason: `${field} ${reason}`, ...told });
      } else {
        this.#rows++;
        this.#shapes.add(result.format);
        yield result.row;
      }
    }
  }
}

const CHARACTERS_A_STEP = 100_000;

/** Every row has the header's columns, so a header without a known shape is a fault of the file, not of a row. */
const headerError = (name: string, line: number, { reason, remedy }: { readonly reason: string; readonly remedy: string }): AppError =>
  new AppError('DATASET_PARSE', `${name}, row ${line}: ${reason}.`, remedy);

function emptyError(name: string, bad: readonly BadRow[]): AppError {
  const detail = bad.length > 0 ? `All ${bad.length} rows of ${name} are malformed.` : `${name} contains no data.`;
  const hint = bad.find(({ remedy }) => remedy !== undefined);
  if (hint) return new AppError('DATASET_EMPTY', `${detail} Row ${hint.row}: ${hint.reason}.`, hint.remedy!);
  return new AppError('DATASET_EMPTY', detail, `Add at least one row with ${KNOWN_SHAPES}, or choose a text file that is not empty.`);
}

/**
 * Text of a file's bytes, without a byte order mark. DATASET_PARSE names the first line that is not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const row = badLine(bytes);
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
