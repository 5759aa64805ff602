// A data file to rows. The name's ending says how it is written: .jsonl (also .ndjson, .json: one object a line,
// or a list of them), .csv, or .txt (also .text, .md), which is one continuous document.

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
  /** Null where there is no row. */
  readonly format: DataFormat | null;
  /** Rows that were passed over. */
  readonly badRows: readonly BadRow[];
  /** Columns of a CSV header or keys of the JSON rows, most frequent first; empty for plain text. */
  readonly columns: readonly string[];
  /** Why no row can be used, bad ones skipped or not. */
  readonly refusal: AppError | null;
}

/** The error of one malformed row; names file, row, field and reason. */
export function rowError(name: string, { row, reason, remedy }: BadRow): AppError {
  return new AppError('DATASET_PARSE', `${name}, row ${row}: ${reason}.`, remedy ?? 'Correct the row, or have bad rows skipped.');
}

/** Why a run refuses what was read, or null. */
export function parseRefusal(
  { name, badRows, refusal }: Pick<FileFacts, 'name' | 'badRows' | 'refusal'>,
  bad: 'refuse' | 'skip',
): AppError | null {
  return bad === 'refuse' && badRows.length > 0 ? rowError(name, badRows[0]) : refusal;
}

/** Text in, rows out, piece by piece, over every fault of a row. Errors: DATASET_READ. */
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
    if (!kind)
      throw new AppError('DATASET_READ', `${name} is no kind of data file that is known here.`, 'Give a .jsonl, .csv or .txt file.');
    this.kind = kind;
    this.#records = kind === 'plain' ? null : kind === 'csv' ? new CsvTableRecords(columns) : new JsonRecords(columns);
  }

  /** Rows that the piece ends. Of plain text there are none: its pieces are the text. */
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
        // One row is told of, so one remedy will do.
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

/** Every row has the header's columns, so a header without a known shape is the file's fault and not a row's. */
const headerError = (name: string, line: number, { reason, remedy }: { readonly reason: string; readonly remedy: string }): AppError =>
  new AppError('DATASET_PARSE', `${name}, row ${line}: ${reason}.`, remedy);

function emptyError(name: string, bad: readonly BadRow[]): AppError {
  const detail = bad.length > 0 ? `All ${bad.length} rows of ${name} are malformed.` : `${name} holds no data.`;
  const hint = bad.find(({ remedy }) => remedy !== undefined);
  if (hint) return new AppError('DATASET_EMPTY', `${detail} Row ${hint.row}: ${hint.reason}.`, hint.remedy!);
  return new AppError('DATASET_EMPTY', detail, `Give at least one row with ${KNOWN_SHAPES}, or a text file that is not empty.`);
}
