// A data file as it streams in: text to rows to tokens, with the first rows kept for the preview. Pieces are pushed in, so that
// the reader of the file decides when to rest.

import type { ColumnMap } from '../read/column-map';
import type { Mask } from '../tokenize/chat';
import { DataEncoder, isConversation, type Encoding } from '../tokenize/encoding';
import { DataReader, type FileFacts } from '../read/parse';
import { ROWS_A_STEP } from './steps';
import { textPieces, type DataStream } from '../read/text-stream';
import type { Tokenizer } from '../tokenize/tokenizer';
import type { DataRow } from '../read/types';

/** How many rows are kept as text, and how many characters at most. */
const KEPT_ROWS = 1000;
const KEPT_CHARACTERS = 2 ** 21;

export interface LoadedData extends FileFacts {
  readonly encoding: Encoding;
  /** The first rows as read; for a continuous text, its beginning. */
  readonly firstRows: readonly DataRow[];
  readonly rowCount: number;
  /** Some row is a conversation. */
  readonly chat: boolean;
}

/** Settings on which the tokens depend. */
export interface LoadConfig {
  readonly mask: Mask;
  readonly columns: ColumnMap | null;
}

export class DataLoading {
  readonly #reader: DataReader;
  readonly #encoder: DataEncoder;
  readonly #first: DataRow[] = [];
  #characters = 0;
  #rows = 0;
  #chat = false;

  constructor(
    name: string,
    private readonly tokenizer: Tokenizer,
    { mask, columns }: LoadConfig,
  ) {
    this.#reader = new DataReader(name, columns);
    this.#encoder = new DataEncoder(tokenizer, mask);
  }

  /** Yields now and then. */
  *push(text: string): Generator<void> {
    this.#reader.look(text);
    if (this.#reader.kind === 'plain') {
      if (this.#characters === 0 && text.trim() !== '') {
        this.#first.push({ kind: 'text', text: text.slice(0, KEPT_CHARACTERS), row: 1 });
        this.#characters = 1;
      }
      yield* this.#encoder.addText(text);
    }
    yield* this.#take(this.#reader.push(text));
  }

  *end(): Generator<void> {
    yield* this.#take(this.#reader.end());
    if (this.#reader.kind === 'plain' && this.#reader.facts().format !== null) this.#encoder.endText();
  }

  /** The format of what has been read. */
  loaded(): LoadedData {
    return { ...this.#reader.facts(), encoding: this.#encoder, firstRows: this.#first, rowCount: this.#rows, chat: this.#chat };
  }

  *#take(rows: Iterable<DataRow>): Generator<void> {
    for (const row of rows) {
      yield* this.#encoder.addRow(row);
      this.#chat ||= isConversation(row, this.tokenizer);
      this.#rows++;
      if (this.#first.length < KEPT_ROWS && this.#characters < KEPT_CHARACTERS) {
        this.#first.push(shortened(row));
        this.#characters += row.kind === 'text' ? row.text.length : row.messages.reduce((sum, { content }) => sum + content.length, 0);
      }
      if (this.#rows % ROWS_A_STEP === 0) yield;
    }
  }
}

/** A very long text would stay in memory for its first lines. */
const shortened = (row: DataRow): DataRow =>
  row.kind === 'text' && row.text.length > KEPT_CHARACTERS ? { ...row, text: structuredClone(row.text.slice(0, KEPT_CHARACTERS)) } : row;

/** How far the reading is (0 to 1), and what is there so far. */
export interface LoadStep {
  readonly fraction: number;
  readonly sofar: () => LoadedData;
}

/** Reads a stream. Errors: DATASET_READ, DATASET_PARSE if it is not UTF-8, TOKEN_RANGE, TOKENIZER. */
export async function* loadingStream(stream: DataStream, tokenizer: Tokenizer, config: LoadConfig): AsyncGenerator<LoadStep, LoadedData> {
  const loading = new DataLoading(stream.name, tokenizer, config);
  const step = (bytes: number): LoadStep => ({
    fraction: stream.size > 0 ? Math.min(1, bytes / stream.size) : 1,
    sofar: () => loading.loaded(),
  });
  for await (const { text, bytes } of textPieces(stream)) {
    for (const _ of loading.push(text)) yield step(bytes);
    yield step(bytes);
  }
  for (const _ of loading.end()) yield step(stream.size);
  return loading.loaded();
}
