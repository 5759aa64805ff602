// The records of a table as its text comes in, piece by piece (those of JSON: json-records.ts). An unfinished record waits for the
// next piece.

import { AppError } from '../../base/errors';
import type { ColumnMap } from './column-map';
import { MOST_COLUMNS } from './columns';
import { csvRecords, type Separator } from './csv';
import { separatorOf } from './detect-shape';
import { csvHeader, csvRow, type CsvHeader } from './csv-table';
import { MOST_RECORD } from './pieces';
import type { RowFault } from './rows';

/** A value, or what is wrong with it, and the 1-based line at which it starts. */
export type FileRecord = { readonly line: number } & ({ readonly value: unknown } | { readonly fault: RowFault });

export interface Records {
  /** Columns of a header, or keys of the JSON objects, most frequent first. */
  readonly columns: readonly string[];
  /** Which columns hold the known fields, in the file's spelling. */
  readonly map: ColumnMap | null;
  /** A CSV header that makes all rows unreadable; null otherwise, and before the header is read. */
  readonly header: CsvHeader | null;
  push(text: string): Generator<FileRecord>;
  /** Takes what is left at the end of the text. */
  end(): Generator<FileRecord>;
}

export class CsvTableRecords implements Records {
  #rest = '';
  #lines = 0;
  #header: (CsvHeader & { readonly keys: readonly string[] }) | null = null;
  #separator: Separator | null = null;
  /** A very long record is looked at again only when it has doubled. */
  #enough = 0;

  constructor(
    private readonly asked: ColumnMap | null,
    /** The file's name suggests tabs. */
    private readonly tabs = false,
  ) {}

  get columns(): readonly string[] {
    return this.#header?.columns.slice(0, MOST_COLUMNS) ?? [];
  }

  get map(): ColumnMap | null {
    return this.#header ? this.#header.map : this.asked;
  }

  get header(): CsvHeader | null {
    return this.#header;
  }

  *push(text: string): Generator<FileRecord> {
    this.#rest += text;
    // Perhaps a quote that is never closed: there is no next record to go on with.
    if (this.#rest.length > MOST_RECORD + text.length) {
      throw new AppError(
        'DATASET_PARSE',
        `The row at line ${this.#lines + 1} is longer than ${(MOST_RECORD / 1e6).toFixed(0)} million characters.`,
        'Look for a quote that is not closed, or split the row.',
      );
    }
    if (this.#rest.length >= this.#enough) yield* this.#read(false);
  }

  *end(): Generator<FileRecord> {
    yield* this.#read(true);
  }

  *#read(all: boolean): Generator<FileRecord> {
    const text = this.#rest;
    if (this.#separator === null && !all && !/[\r\n]/.test(text.trimStart())) {
      this.#enough = 2 * text.length;
      return;
    }
    this.#separator ??= separatorOf(text, this.asked, this.tabs);
    let done = 0;
    for (const { end, line, fields, fault } of csvRecords(text, this.#separator)) {
      // What ends with the text may continue (a line feed after a carriage return, more of a quoted field).
      if (end >= text.length && !all) break;
      done = end;
      const at = this.#lines + line;
      if (!this.#header) {
        this.#header = csvHeader(at, fields, this.asked, fault?.reason);
        continue;
      }
      if (!this.#header.fault) yield csvRow({ line: at, fields, fault }, this.#header.keys, this.#header);
    }
    this.#lines += text.slice(0, done).match(/\r\n|\n|\r/g)?.length ?? 0;
    this.#rest = text.slice(done);
    this.#enough = done === 0 ? 2 * this.#rest.length : 0;
  }
}
