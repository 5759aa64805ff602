// Reads a data file into rows. The name's ending gives the format: .jsonl (also .ndjson, .json: one object per line, or a list
// of them), .csv, or .txt (also .text, .md), which is one continuous document.

import type { RowShape, ColumnMap } from './column-map';
import { AppError } from '../../base/errors';
import { kindOf, type FileKind } from './detect-shape';
import { CsvTableRecords, JsonRecords, type FileRecord, type Records } from './records';
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
}

/** The error of one malformed row; names file, row, field and reason. */
export function rowError(name: string, { row, reason, remedy }: BadRow): AppError {
  return new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, remedy ?? 'Fix the row, or choose to skip bad rows.');
}

/** Why a run refuses what was read, or null. */
export function parseRefusal(
  { name, badRows, refusal }: Pick<FileFacts, 'name' | 'badRows' | 'refusal'>,
  bad: 'refuse' | 'skip',
): AppError | null {
  return bad === 'refuse' && badRows.length > 0 ? rowError(name, badRows[0]) : refusal;
}

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

/** Every row has the header's columns, so a header without a known shape is a fault of the file, not of a row. */
const headerError = (name: string, line: number, { reason, remedy }: { readonly reason: string; readonly remedy: string }): AppError =>
  new AppError('DATASET_PARSE', `${name}, row ${line}: ${reason}.`, remedy);

function emptyError(name: string, bad: readonly BadRow[]): AppError {
  const detail = bad.length > 0 ? `All ${bad.length} rows of ${name} are malformed.` : `${name} contains no data.`;
  const hint = bad.find(({ remedy }) => remedy !== undefined);
  if (hint) return new AppError('DATASET_EMPTY', `${detail} Row ${hint.row}: ${hint.reason}.`, hint.remedy!);
  return new AppError('DATASET_EMPTY', detail, `Add at least one row with ${KNOWN_SHAPES}, or choose a text file that is not empty.`);
}
