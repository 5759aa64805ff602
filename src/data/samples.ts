// Rows to samples of at most T + 1 tokens: conversations are cut off there, texts are split into windows that
// overlap by the one token that ends one and begins the next, so every token is predicted exactly once.

import { AppError } from '../errors';
import { chatOf, type Mask } from './chat';
import { lengthStats, type LengthStats } from './lengths';
import { rowError } from './parse';
import { finish, ROWS_A_STEP, type Steps } from './steps';
import type { Tokenizer } from './tokenizer';
import { inputTokens, type BadRow, type DataRow, type Sample } from './types';

export interface SampleOptions {
  /** T: tokens of a row, at most. */
  readonly seqLen: number;
  readonly mask: Mask;
  /** For rows that the chat template refuses. */
  readonly badRows: 'refuse' | 'skip';
  /** File name, for errors. */
  readonly name: string;
  /** The rows are one continuous text (a .txt file): no start and end tokens. */
  readonly continuous: boolean;
}

/** A row in tokens, and which of them carry a loss. */
export interface Encoded {
  readonly ids: Uint32Array;
  readonly target: Uint8Array;
}

/** A row to train on: conversations already cut, or a text of any length. At least one target. */
export interface Document {
  /** Its place among the rows, from 0. */
  readonly index: number;
  /** One, or one an answer of a conversation that the chat template rewrites as it goes on. */
  readonly parts: readonly Encoded[];
}

export interface EncodedRows {
  readonly documents: readonly Document[];
  /** Conversations that were cut off at T + 1 tokens. */
  readonly truncated: number;
  /** Rows that had no target, or none left. */
  readonly dropped: number;
  /** Rows of several parts. */
  readonly perAnswer: number;
  /** Rows that the chat template refused. */
  readonly refused: readonly BadRow[];
  /** Tokens of each row that was not refused (of its longest part), before anything was cut. */
  readonly lengths: readonly number[];
}

/**
 * Tokenises rows. A text row is its tokens, after the start token where the tokenizer's configuration asks for one
 * (add_bos_token), and before the end token; continuous text is its tokens alone.
 * Errors: TOKEN_RANGE, TOKENIZER; DATASET_PARSE for a row that the chat template refuses, with badRows 'refuse'.
 */
export const encodeRows = (rows: readonly DataRow[], tokenizer: Tokenizer, options: SampleOptions): EncodedRows =>
  finish(encodingRows(rows, tokenizer, options));

/** The same in steps. One continuous text is one step: it cannot be tokenised in parts. */
export function* encodingRows(rows: readonly DataRow[], tokenizer: Tokenizer, options: SampleOptions): Steps<EncodedRows> {
  const encode = rowEncoder(tokenizer, options);
  const documents: Document[] = [];
  const refused: BadRow[] = [];
  const lengths: number[] = [];
  let truncated = 0;
  let dropped = 0;
  let perAnswer = 0;
  for (const [index, row] of rows.entries()) {
    if (index % ROWS_A_STEP === 0) yield index / rows.length;
    const whole = encode(row, row.row ?? index + 1);
    if ('reason' in whole) {
      if (options.badRows === 'refuse') throw rowError(options.name, whole);
      refused.push(whole);
      continue;
    }
    lengths.push(longest(whole));
    const cut = whole.map((part) => cutConversation(row, part, options.seqLen));
    if (cut.some((part, i) => part !== whole[i])) truncated++;
    if (whole.length > 1) perAnswer++;
    const parts = cut.filter(({ target }) => target.includes(1));
    if (parts.length > 0) documents.push({ parts, index });
    else dropped++;
  }
  return { documents, truncated, dropped, perAnswer, refused, lengths };
}

export const longest = (parts: readonly Encoded[]): number => Math.max(...parts.map(({ ids }) => ids.length));

/** A conversation cut off at T + 1 tokens; a text, or a conversation that fits, as it is. */
export function cutConversation(row: DataRow, whole: Encoded, seqLen: number): Encoded {
  const limit = seqLen + 1;
  if (row.kind !== 'chat' || whole.ids.length <= limit) return whole;
  return { ids: whole.ids.slice(0, limit), target: whole.target.slice(0, limit) };
}

/** Rows to tokens, nothing cut. `at`: the row's line, for what the chat template refuses. */
export function rowEncoder(
  tokenizer: Tokenizer,
  { mask, continuous }: Pick<SampleOptions, 'mask' | 'continuous'>,
): (row: DataRow, at: number) => readonly Encoded[] | BadRow {
  const chat = chatOf(tokenizer);
  const start = !continuous && tokenizer.addBos && tokenizer.bosId !== null ? [tokenizer.bosId] : [];
  const end = !continuous && tokenizer.eosId !== null ? [tokenizer.eosId] : [];
  return (row, at) => {
    if (row.kind === 'text') {
      const text = tokenizer.encode(row.text);
      // A text may bring its start or end token along; neither is written twice.
      const head = text[0] === start[0] ? [] : start;
      const tail = text.at(-1) === end[0] ? [] : end;
      // An empty text is no document, though its end token could be predicted.
      const ids = text.length ? Uint32Array.from(head.concat(text, tail)) : new Uint32Array(0);
      return [{ ids, target: new Uint8Array(ids.length).fill(1, Math.min(1, ids.length)) }];
    }
    try {
      return chat.encode(row.messages, mask);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'DATASET_PARSE') throw error;
      return { row: at, reason: error.detail.replace(/\.$/, '') };
    }
  };
}

/** Samples of a document's part: windows of T + 1 tokens, T apart. Those without a target are left out. */
export function cutDocument({ ids, target }: Encoded, seqLen: number): Sample[] {
  const samples: Sample[] = [];
  for (let at = 0; at + 1 < ids.length; at += seqLen) {
    const window = { ids: ids.slice(at, at + seqLen + 1), target: target.slice(at, at + seqLen + 1) };
    window.target[0] = 0;
    if (window.target.includes(1)) samples.push(window);
  }
  return samples;
}

export interface SampleStats {
  readonly samples: number;
  /** Tokens that go through the model in one epoch. */
  readonly tokens: number;
  /** Tokens that carry a loss in one epoch. */
  readonly targets: number;
}

export function sampleStats(samples: readonly Sample[]): SampleStats {
  let tokens = 0;
  let targets = 0;
  for (const sample of samples) {
    tokens += inputTokens(sample);
    targets += sample.target.reduce((sum, flag) => sum + flag, 0);
  }
  return { samples: samples.length, tokens, targets };
}

/** Rows to samples in one go. NO_TARGETS where nothing is left to train on, and what encodeRows throws. */
export function buildSamples(
  rows: readonly DataRow[],
  tokenizer: Tokenizer,
  options: SampleOptions,
): {
  readonly samples: readonly Sample[];
  readonly stats: SampleStats & Omit<EncodedRows, 'documents' | 'lengths'> & { readonly lengths: LengthStats };
} {
  const { documents, lengths, ...counts } = encodeRows(rows, tokenizer, options);
  const samples = documents.flatMap(({ parts }) => parts.flatMap((part) => cutDocument(part, options.seqLen)));
  if (samples.length === 0) throw noTargets(options.name, options.mask);
  return { samples, stats: { ...counts, ...sampleStats(samples), lengths: lengthStats(lengths) } };
}

export function noTargets(name: string, mask: Mask): AppError {
  const remedy =
    mask === 'assistant' ? 'Give rows with assistant turns, raise the row length, or take the loss on all tokens.' : 'Give longer rows.';
  return new AppError('NO_TARGETS', `No token of ${name} carries a loss.`, remedy);
}
