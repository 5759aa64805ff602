// The records of a JSON file as its text comes in, whatever its framing: a value on each line, one list around all, a list on each
// line, objects over several lines, or one object around the rows (json-wrappers.ts). Only what is unfinished is kept.

import type { ColumnMap } from './column-map';
import { ColumnCount } from './columns';
import { isObject } from './faults';
import { jsonLines } from './jsonl';
import { unwrapped } from './json-wrappers';
import { looksLikeMessage } from './messages';
import { MOST_RECORD, Pieces, TOO_LONG } from './pieces';
import type { FileRecord, Records } from './records';

const countLines = (text: string): number => {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
};

interface Framing {
  push(text: string): Generator<FileRecord>;
  end(): Generator<FileRecord>;
}

export class JsonRecords implements Records {
  readonly header = null;
  readonly #names = new ColumnCount();
  #inner: Framing | null = null;
  #start = '';
  /** A long beginning is looked at again only when it has doubled. */
  #enough = 0;
  #count = 0;

  constructor(readonly map: ColumnMap | null) {}

  get columns(): readonly string[] {
    return this.#names.names();
  }

  *push(text: string): Generator<FileRecord> {
    if (!this.#inner) {
      this.#start += text;
      if (this.#start.length < Math.min(this.#enough, MOST_RECORD)) return;
      this.#enough = 2 * this.#start.length;
      this.#inner = framingOf(this.#start, this.#start.length >= MOST_RECORD);
      if (!this.#inner) return;
      yield* this.#named(this.#inner.push(this.#start));
      this.#start = '';
      return;
    }
    yield* this.#named(this.#inner.push(text));
  }

  *end(): Generator<FileRecord> {
    this.#inner ??= framingOf(this.#start, true) ?? new JsonLineRecords();
    yield* this.#named(this.#inner.push(this.#start));
    yield* this.#named(this.#inner.end());
  }

  *#named(records: Iterable<FileRecord>): Generator<FileRecord> {
    for (const framed of records) {
      for (const record of 'value' in framed ? unwrapped(framed, this.map, this.#count) : [framed]) {
        this.#count++;
        if ('value' in record && isObject(record.value)) this.#names.add(Object.keys(record.value));
        yield record;
      }
    }
  }
}

/** Found from the beginning; null while that does not decide it. */
function framingOf(text: string, all: boolean): Framing | null {
  const start = text.trimStart();
  if (start === '') return null;
  if (start.startsWith('[')) {
    const first = start.slice(1).trimStart();
    if (first === '' && !all) return null;
    // A list of texts is not a row; as a line it is told so.
    return /^[[{\]]/.test(first) ? new JsonListRecords() : new JsonLineRecords();
  }
  if (!start.startsWith('{')) return new JsonLineRecords();
  const lineEnd = start.indexOf('\n');
  if (lineEnd < 0) return all ? new JsonLineRecords() : null;
  const line = start.slice(0, lineEnd).trim();
  if (isJson(line)) return new JsonLineRecords();
  if (line === '{') return new JsonValueRecords();
  // A first line that is not JSON is broken if the next one is JSON by itself; else the object goes on there.
  const next = /\S[^\n]*(\n|$)/.exec(start.slice(lineEnd + 1));
  if (!next || (next[1] === '' && !all)) return all ? new JsonLineRecords() : null;
  return isJson(next[0].trim()) || next[0].trim().startsWith('{') ? new JsonLineRecords() : new JsonValueRecords();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

class JsonLineRecords implements Framing {
  readonly #line = new Pieces();
  #lines = 0;

  *push(text: string): Generator<FileRecord> {
    let rest = text;
    if (this.#line.over) {
      const end = text.indexOf('\n');
      if (end < 0) return;
      this.#line.take();
      this.#lines++;
      rest = text.slice(end + 1);
    }
    const last = rest.lastIndexOf('\n');
    if (last < 0) {
      this.#line.add(rest);
      if (this.#line.over) yield { line: this.#lines + 1, fault: TOO_LONG };
      return;
    }
    const whole = (this.#line.take() ?? '') + rest.slice(0, last + 1);
    this.#line.add(rest.slice(last + 1));
    yield* this.#read(whole);
    this.#lines += countLines(whole);
  }

  *end(): Generator<FileRecord> {
    yield* this.#read(this.#line.take() ?? '');
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

/** Follows brackets and strings through a text that comes in pieces. */
class JsonScan {
  depth = 0;
  line = 1;
  #inString = false;
  #escaped = false;

  /** What a character is outside of strings; null inside, and for any other. */
  take(c: number): 'open' | 'close' | 'comma' | null {
    if (c === LINE_FEED) this.line++;
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (c === BACKSLASH) this.#escaped = true;
      else if (c === QUOTE) this.#inString = false;
      return null;
    }
    if (c === QUOTE) this.#inString = true;
    else if (OPEN.has(c)) {
      this.depth++;
      return 'open';
    } else if (CLOSE.has(c)) {
      this.depth--;
      return 'close';
    } else if (c === COMMA) return 'comma';
    return null;
  }
}

function parsed(text: string, line: number): FileRecord {
  try {
    return { line, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { line, fault: { field: 'the row', reason: `is not valid JSON (${error instanceof Error ? error.message : String(error)})` } };
  }
}

const lineOf = (raw: string, from: number): number => from + countLines(raw.slice(0, raw.length - raw.trimStart().length));

/** Elements of a list, or of one list after the other, each parsed on its own. A list of messages is one row. */
class JsonListRecords implements Framing {
  readonly #scan = new JsonScan();
  readonly #element = new Pieces();
  #elementLine = 1;
  #listLine = 1;
  #count = 0;
  #broken = false;
  /** Messages so far, if the list is a conversation. */
  #messages: unknown[] | null = null;

  *push(text: string): Generator<FileRecord> {
    let from = 0;
    for (let i = 0; i < text.length && !this.#broken; i++) {
      const c = text.charCodeAt(i);
      const kind = this.#scan.take(c);
      const { depth } = this.#scan;
      if (depth === 0 && kind !== 'close') {
        // Between two lists there is nothing but white space.
        if (!/\s/.test(text[i])) {
          this.#broken = true;
          yield { line: this.#scan.line, fault: { field: 'the file', reason: 'continues after the end of its list' } };
          return;
        }
        from = i + 1;
      } else if (kind === 'open' && depth === 1) {
        if (text[i] !== '[') {
          this.#broken = true;
          yield { line: this.#scan.line, fault: { field: 'the file', reason: 'continues after the end of its list' } };
          return;
        }
        from = i + 1;
        this.#listLine = this.#elementLine = this.#scan.line;
        this.#count = 0;
      } else if ((kind === 'comma' && depth === 1) || (kind === 'close' && depth === 0)) {
        this.#element.add(text.slice(from, i));
        yield* this.#finish(kind === 'close');
        from = i + 1;
      } else if (depth < 0) {
        this.#broken = true;
        return;
      }
    }
    if (this.#scan.depth > 0) this.#element.add(text.slice(from));
  }

  *end(): Generator<FileRecord> {
    if (this.#broken || this.#scan.depth === 0) return;
    yield { line: this.#elementLine, fault: { field: 'the file', reason: 'is a list that is never closed' } };
  }

  *#finish(last: boolean): Generator<FileRecord> {
    const raw = this.#element.take();
    const text = raw?.trim() ?? null;
    const line = lineOf(raw ?? '', this.#elementLine);
    this.#elementLine = this.#scan.line;
    const first = this.#count++ === 0;
    if (last && text === '' && first) return;
    const record = text === null ? { line, fault: TOO_LONG } : parsed(text, line);
    if (first && 'value' in record && looksLikeMessage(record.value)) this.#messages = [];
    if (!this.#messages) {
      yield record;
      return;
    }
    if ('value' in record) this.#messages.push(record.value);
    else yield record;
    if (!last) return;
    yield { line: this.#listLine, value: this.#messages };
    this.#messages = null;
  }
}

/** Objects that go over several lines, one after the other. */
class JsonValueRecords implements Framing {
  readonly #scan = new JsonScan();
  readonly #value = new Pieces();
  #line = 1;

  *push(text: string): Generator<FileRecord> {
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const kind = this.#scan.take(text.charCodeAt(i));
      if (kind === 'open' && this.#scan.depth === 1) {
        const between = ((this.#value.take() ?? '') + text.slice(from, i)).replace(/^[\s,]+|[\s,]+$/g, '');
        if (between !== '') yield { line: this.#line, fault: { field: 'the row', reason: 'is text outside of a JSON object' } };
        from = i;
        this.#line = this.#scan.line;
      } else if (kind === 'close' && this.#scan.depth <= 0) {
        this.#scan.depth = 0;
        this.#value.add(text.slice(from, i + 1));
        const whole = this.#value.take();
        yield whole === null ? { line: this.#line, fault: TOO_LONG } : parsed(whole, this.#line);
        from = i + 1;
      }
    }
    this.#value.add(text.slice(from));
  }

  *end(): Generator<FileRecord> {
    const rest = (this.#value.take() ?? '').trim();
    if (this.#scan.depth > 0)
      yield { line: this.#line, fault: { field: 'the file', reason: `ends inside the object that begins in line ${this.#line}` } };
    else if (rest !== '' && rest !== ',')
      yield { line: this.#scan.line, fault: { field: 'the row', reason: 'is text outside of a JSON object' } };
  }
}
