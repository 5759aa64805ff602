// Reads a data file into rows: JSON in any framing (json-records.ts), a table (.csv, .tsv), or one continuous document (.txt, .md). The
// beginning of the file decides, and the ending of its name where that says nothing.

import type { RowShape, ColumnMap } from './column-map';
import { AppError } from '../../base/errors';
import { foundKind, hasTabs, kindOf, type FileKind } from './detect-shape';
import { JsonRecords } from './json-records';
import { CsvTableRecords, type FileRecord, type Records } from './records';
import { KNOWN_SHAPES, recordToRow } from './rows';
import type { BadRow, DataRow } from './types';

/** 'messages' and so on for JSON lines, 'csv:messages' for CSV, 'mixed' where rows differ, 'plain' for one text. */
export type DataFormat = RowShape | 'mixed' | `csv:${RowShape | 'mixed'}` | 'plain';

/** What is known of a file once it is read, beside its rows. */
export interface FileFacts {
  readonly name: string;
  /** Null if there are no rows. */
  readonly format: DataFormat | null;
  /** Rows that were passed over. */
  readonly badRows: readonly BadRow[];
  /** Columns of a CSV header or keys of the JSON rows, most frequent first; empty for plain text. */
  readonly columns: readonly string[];
  /** Why no row can be used, whether bad rows are skipped or not. */
  readonly refusal: AppError | null;
  /** The refusal is of the file as a whole, so no row is to blame. */
  readonly framing?: true;
}

/** The error of one malformed row; names file, row, field and reason. */
export function rowError(name: string, { row, reason, remedy }: BadRow): AppError {
  return new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, remedy ?? 'Fix the row, or choose to skip bad rows.');
}

/** Why a run refuses what was read, or null. */
export function parseRefusal(
  { name, badRows, refusal, framing }: Pick<FileFacts, 'name' | 'badRows' | 'refusal' | 'framing'>,
  bad: 'refuse' | 'skip',
): AppError | null {
  return bad === 'refuse' && badRows.length > 0 && !framing ? rowError(name, badRows[0]) : refusal;
}

/** Text in, rows out, piece by piece. Continues after a faulty row. Errors: DATASET_READ. */
export class DataReader {
  #kind: FileKind | null = null;
  #notJson: AppError | null = null;
  #records: Records | null = null;
  readonly #badRows: BadRow[] = [];
  readonly #shapes = new Set<RowShape>();
  #hasRemedy = false;
  #blank = true;
  #rows = 0;

  constructor(
    private readonly name: string,
    private readonly map: ColumnMap | null,
  ) {}

  /** Known once a part of the text has been looked at. */
  get kind(): FileKind | null {
    return this.#kind;
  }

  /** Decides the format from the first piece that is not blank. Errors: DATASET_READ. */
  look(text: string): void {
    if (this.#kind !== null || text.trim() === '') return;
    const kind = foundKind(this.name, text);
    if (!kind) throw new AppError('DATASET_READ', `${this.name} is not a supported file type.`, SUPPORTED);
    if (kind === 'jsonl' && !/^\s*[[{]/m.test(text)) this.#notJson = notJson(this.name, text);
    this.#kind = kind;
    if (kind !== 'plain') this.#records = kind === 'csv' ? new CsvTableRecords(this.map, hasTabs(this.name)) : new JsonRecords(this.map);
  }

  /** Rows that end in this piece. Plain text has none, because its pieces are the text. */
  *push(text: string): Generator<DataRow> {
    this.look(text);
    this.#blank &&= text.trim() === '';
    if (this.#records) yield* this.#read(this.#records.push(text));
  }

  *end(): Generator<DataRow> {
    if (this.#records && !this.#blank) yield* this.#read(this.#records.end());
  }

  facts(): FileFacts {
    const base = { name: this.name, columns: this.#records?.columns ?? [], badRows: this.#badRows };
    if (this.#blank) {
      const refusal = kindOf(this.name)
        ? emptyError(this.name, [])
        : new AppError('DATASET_READ', `${this.name} is not a supported file type.`, SUPPORTED);
      return { ...base, columns: [], format: null, refusal };
    }
    if (!this.#records) return { ...base, format: 'plain', refusal: null };
    if (this.#notJson && this.#rows === 0) return { ...base, format: null, refusal: this.#notJson, framing: true };
    const { header } = this.#records;
    const [first] = this.#shapes;
    const shape = this.#shapes.size > 1 ? 'mixed' : first;
    const refusal =
      this.#rows > 0 ? null : header?.fault ? headerError(this.name, header.line, header.fault) : emptyError(this.name, this.#badRows);
    return { ...base, format: this.#rows === 0 ? null : this.#kind === 'csv' ? `csv:${shape}` : shape, refusal };
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

const SUPPORTED = 'Choose a .jsonl, .json, .csv, .tsv, .txt, .parquet or .gz file.';

/** No line of the file looks like JSON, so the file is at fault and not its first row. */
const notJson = (name: string, text: string): AppError =>
  new AppError(
    'DATASET_PARSE',
    `${name} does not hold JSON: it begins with '${text.trim().slice(0, 40).replace(/\s+/g, ' ')}'.`,
    'If it is plain text, call it .txt; if it is a table, begin it with a line that names the columns and call it .csv or .tsv.',
  );

/** Every row has the header's columns, so a header without a known shape is a fault of the file, not of a row. */
const headerError = (name: string, line: number, { reason, remedy }: { readonly reason: string; readonly remedy: string }): AppError =>
  new AppError('DATASET_PARSE', `${name}, row ${line}: ${reason}.`, remedy);

function emptyError(name: string, bad: readonly BadRow[]): AppError {
  const detail = bad.length > 0 ? `All ${bad.length} rows of ${name} are malformed.` : `${name} contains no data.`;
  const hint = bad.find(({ remedy }) => remedy !== undefined);
  if (hint) return new AppError('DATASET_EMPTY', `${detail} Row ${hint.row}: ${hint.reason}.`, hint.remedy!);
  return new AppError('DATASET_EMPTY', detail, `Add at least one row with ${KNOWN_SHAPES}, or choose a text file that is not empty.`);
}
