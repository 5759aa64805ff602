// Reads, prepares and inspects data that exists as one text, in one go. The product reads it piece by piece and rests in between.

import type { ColumnMap } from '../data/read/column-map';
import { DataReader, parseRefusal, type DataFormat, type FileFacts } from '../data/read/parse';
import type { BadRow, DataRow, Sample } from '../data/read/types';
import { preparing, type DataConfig, type Dataset } from '../data/sample/dataset';
import { previewing, type InspectConfig } from '../data/sample/inspect';
import { DataLoading, type LoadConfig, type LoadedData } from '../data/sample/loading';
import type { DataPreview } from '../data/sample/preview';
import type { Mask } from '../data/tokenize/chat';
import { DataEncoder, isConversation } from '../data/tokenize/encoding';
import type { Tokenizer } from '../data/tokenize/tokenizer';

export interface DataFile {
  /** File name or path; its extension chooses the parser, and errors name it. */
  readonly name: string;
  readonly text: string;
}

/** The part of a file that can be read. */
export interface ReadData extends FileFacts {
  readonly rows: readonly DataRow[];
}

export interface ParsedData {
  readonly name: string;
  readonly format: DataFormat;
  readonly rows: readonly DataRow[];
  /** Rows that were skipped, with badRows 'skip'. */
  readonly badRows: readonly BadRow[];
}

/** Runs a generator to its end. */
export function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

const PIECE = 100_000;
const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** Skips every faulty row and reads on. Errors: DATASET_READ. */
export function readData({ name, text: whole }: DataFile, columns: ColumnMap | null): ReadData {
  const reader = new DataReader(name, columns);
  const text = withoutMark(whole);
  const rows: DataRow[] = [];
  for (let at = 0; at < text.length; at += PIECE) rows.push(...reader.push(text.slice(at, at + PIECE)));
  rows.push(...reader.end());
  const facts = reader.facts();
  return { ...facts, rows: facts.format === 'plain' ? [{ kind: 'text', text, row: 1 }] : rows };
}

/** Reads a file as a run does. Errors: DATASET_READ, DATASET_PARSE for a malformed row (badRows 'refuse'), DATASET_EMPTY. */
export function parseData(
  file: DataFile,
  { badRows, columns = null }: { badRows: 'refuse' | 'skip'; columns?: ColumnMap | null },
): ParsedData {
  const read = readData(file, columns);
  const refusal = parseRefusal(read, badRows);
  if (refusal) throw refusal;
  return { name: read.name, format: read.format!, rows: read.rows, badRows: read.badRows };
}

function loadRows(data: ParsedData, tokenizer: Tokenizer, mask: Mask): LoadedData {
  const encoding = new DataEncoder(tokenizer, mask);
  for (const row of data.rows) {
    if (data.format === 'plain' && row.kind === 'text') {
      for (const _ of encoding.addText(row.text));
      encoding.endText();
    } else finish(encoding.addRow(row));
  }
  const chat = data.rows.some((row) => isConversation(row, tokenizer));
  return { ...data, columns: [], refusal: null, encoding, firstRows: data.rows, rowCount: data.rows.length, chat };
}

/** Takes rows through the whole preparation. Throws the error with which a run would be refused. */
export function prepareData(
  data: ParsedData,
  evaluation: ParsedData | null,
  tokenizer: Tokenizer,
  config: DataConfig,
): Dataset & { readonly train: readonly Sample[]; readonly evaluation: readonly Sample[] } {
  const load = (file: ParsedData): LoadedData => loadRows(file, tokenizer, config.mask);
  const prepared = finish(preparing(load(data), evaluation && load(evaluation), config));
  if (prepared.refusal) throw prepared.refusal;
  const { tokens, summary, badRows, duplicates, lengths } = prepared;
  return { train: [...prepared.train], evaluation: [...prepared.evaluation], tokens, summary, badRows, duplicates, lengths };
}

function loadText({ name, text }: DataFile, tokenizer: Tokenizer, config: LoadConfig): LoadedData {
  const loading = new DataLoading(name, tokenizer, config);
  for (const _ of loading.push(withoutMark(text)));
  for (const _ of loading.end());
  return loading.loaded();
}

export interface InspectInput {
  readonly data: DataFile;
  /** Null: a share of the data is held out. */
  readonly evaluation: DataFile | null;
  readonly tokenizer: Tokenizer;
  readonly config: InspectConfig;
}

/** The preview of files. Errors: DATASET_READ for a file name without a known extension, TOKEN_RANGE, TOKENIZER. */
export function inspectData({ data, evaluation, tokenizer, config }: InspectInput): DataPreview {
  const load = (file: DataFile): LoadedData => loadText(file, tokenizer, config);
  return finish(previewing({ data: load(data), evaluation: evaluation && load(evaluation) }, tokenizer, config));
}
