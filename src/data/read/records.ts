// The records of a data file as its text comes in, piece by piece: JSON lines, one JSON list, or a CSV table. An unfinished
// record waits for the next piece.

import { AppError } from '../../base/errors';
import type { ColumnMap } from './column-map';
import { ColumnCount, MOST_COLUMNS } from './columns';
import { csvRecords } from './csv';
import { csvHeader, csvRow, type CsvHeader } from './csv-table';
import { jsonLines } from './jsonl';
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

/**
 * Characters of the longest record. What is longer would take several times its size in memory, and a string of JavaScript ends near four
 * times this.
 */
const MOST_RECORD = 2 ** 27;
const TOO_LONG = 'is longer than 134 million characters; a text of this length is read from a .txt file';

const tooLong = (line: number): AppError =>
  new AppError(
    'DATASET_PARSE',
    `The row at line ${line} ${TOO_LONG}.`,
    'Look for a quote or bracket that is not closed, or split the row.',
  );

const countLines = (text: string): number => {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
};

/** Lines, or one list if the text begins with a list of objects. */
export class JsonRecords implements Records {
  readonly header = null;
  readonly #names = new ColumnCount();
  #inner: JsonLineRecords | JsonListRecords | null = null;
  #start = '';

  constructor(readonly map: ColumnMap | null) {}

  get columns(): readonly string[] {
    return this.#names.names();
  }

  *push(text: string): Generator<FileRecord> {
    if (this.#inner) {
      yield* this.#named(this.#inner.push(text));
      return;
    }
    this.#start += text;
    // A line may also be a list (which is not a row), but a list of objects is a file format of its own.
    if (!/^\s*(\[\s*[^\s]|[^\s[])/.test(this.#start)) return;
    this.#inner = /^\s*\[\s*[{\]]/.test(this.#start) ? new JsonListRecords() : new JsonLineRecords();
    yield* this.#named(this.#inner.push(this.#start));
    this.#start = '';
  }

  *end(): Generator<FileRecord> {
    this.#inner ??= new JsonLineRecords();
    yield* this.#named(this.#inner.push(this.#start));
    yield* this.#named(this.#inner.end());
  }

  *#named(records: Iterable<FileRecord>): Generator<FileRecord> {
    for (const record of records) {
      if ('value' in record && typeof record.value === 'object' && record.value !== null && !Array.isArray(record.value))
        this.#names.add(Object.keys(record.value));
      yield record;
    }
  }
}

class JsonLineRecords {
  #rest = '';
  #lines = 0;
  /** The line is too long; what follows of it is passed over. */
  #skips = false;

  *push(text: string): Generator<FileRecord> {
    if (this.#skips) {
      const end = text.indexOf('\n');
      if (end < 0) return;
      this.#skips = false;
      this.#lines++;
      text = text.slice(end + 1);
    }
    const last = text.lastIndexOf('\n');
    if (last < 0) {
      this.#rest += text;
      if (this.#rest.length <= MOST_RECORD) return;
      this.#rest = '';
      this.#skips = true;
      yield { line: this.#lines + 1, fault: { field: 'the row', reason: TOO_LONG } };
      return;
    }
    const whole = this.#rest + text.slice(0, last + 1);
    this.#rest = text.slice(last + 1);
    yield* this.#read(whole);
    this.#lines += countLines(whole);
  }

  *end(): Generator<FileRecord> {
    yield* this.#read(this.#rest);
  }

  *#read(text: string): Generator<FileRecord> {
    for (const entry of jsonLines(text)) {
      const line = this.#lines + entry.line;
      yield 'problem' in entry ? { line, fault: { field: 'the row', reason: entry.problem } } : { line, value: entry.value };
    }
  }
}

const [QUOTE, BACKSLASH, COMMA, LINE_FEED] = [0x22, 0x5c, 0x2c, 0x0a];
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);

/** Elements of one list, each parsed on its own. */
class JsonListRecords {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #closed = false;
  #element = '';
  #line = 1;
  #elementLine = 1;
  #count = 0;

  *push(text: string): Generator<FileRecord> {
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === LINE_FEED) this.#line++;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (c === BACKSLASH) this.#escaped = true;
        else if (c === QUOTE) this.#inString = false;
      } else if (c === QUOTE) this.#inString = true;
      else if (OPEN.has(c)) {
        if (++this.#depth === 1) {
          from = i + 1;
          this.#elementLine = this.#line;
        }
      } else if ((c === COMMA && this.#depth === 1) || (CLOSE.has(c) && --this.#depth === 0)) {
        yield* this.#finish(text.slice(from, i), c !== COMMA);
        from = i + 1;
        if (c !== COMMA) {
          this.#closed = true;
          this.#element += text.slice(from);
          return;
        }
      }
      if (this.#closed) break;
    }
    this.#element += text.slice(this.#depth === 0 && !this.#closed ? text.length : from);
    if (this.#element.length > MOST_RECORD) throw tooLong(this.#elementLine);
  }

  *end(): Generator<FileRecord> {
    const left = this.#element.trim();
    if (this.#closed && left !== '')
      yield { line: this.#line, fault: { field: 'the file', reason: 'continues after the end of its list' } };
    if (!this.#closed) yield { line: this.#elementLine, fault: { field: 'the file', reason: 'is a list that is never closed' } };
  }

  *#finish(end: string, last: boolean): Generator<FileRecord> {
    const raw = this.#element + end;
    const text = raw.trim();
    const line = this.#elementLine + countLines(raw.slice(0, raw.length - raw.trimStart().length));
    this.#element = '';
    this.#elementLine = this.#line;
    this.#count++;
    if (last && text === '' && this.#count === 1) return;
    try {
      yield { line, value: JSON.parse(text) as unknown };
    } catch (error) {
      yield { line, fault: { field: 'the row', reason: `is not valid JSON (${error instanceof Error ? error.message : String(error)})` } };
    }
  }
}

export class CsvTableRecords implements Records {
  #rest = '';
  #lines = 0;
  #header: (CsvHeader & { readonly keys: readonly string[] }) | null = null;
  /** A very long record is looked at again only when it has doubled. */
  #enough = 0;

  constructor(private readonly asked: ColumnMap | null) {}

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
    if (this.#rest.length > MOST_RECORD + text.length) throw tooLong(this.#lines + 1);
    if (this.#rest.length >= this.#enough) yield* this.#read(false);
  }

  *end(): Generator<FileRecord> {
    yield* this.#read(true);
  }

  *#read(all: boolean): Generator<FileRecord> {
    const text = this.#rest;
    let done = 0;
    for (const { end, line, fields, fault } of csvRecords(text)) {
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
