// Rows to samples of at most T + 1 tokens: conversations are cut off there, texts are split into windows that
// overlap by the one token that ends one and begins the next, so every token is predicted exactly once.

import { AppError } from '../errors';
import { chatOf, type Chat, type Mask } from './chat';
import { rowError } from './parse';
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

/** A row in tokens: a conversation already cut, a text of any length. At least one target. */
export interface Document {
  readonly ids: Uint32Array;
  readonly target: Uint8Array;
}

export interface EncodedRows {
  readonly documents: readonly Document[];
  /** Conversations that were cut off at T + 1 tokens. */
  readonly truncated: number;
  /** Rows that had no target, or none left. */
  readonly dropped: number;
  /** Rows that the chat template refused. */
  readonly refused: readonly BadRow[];
  /** Tokens of the rows before anything was cut. */
  readonly lengths: LengthStats;
}

export interface LengthStats {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/**
 * Tokenises rows. A text row is its tokens, after the start token where the tokenizer's configuration asks for one
 * (add_bos_token), and before the end token; continuous text is its tokens alone.
 * Errors: TOKEN_RANGE, TOKENIZER; DATASET_PARSE for a row that the chat template refuses, with badRows 'refuse'.
 */
export function encodeRows(rows: readonly DataRow[], tokenizer: Tokenizer, options: SampleOptions): EncodedRows {
  const chat = chatOf(tokenizer);
  const documents: Document[] = [];
  const refused: BadRow[] = [];
  const lengths: number[] = [];
  let truncated = 0;
  let dropped = 0;
  for (const [i, row] of rows.entries()) {
    const whole = encodeRow(row, row.row ?? i + 1, chat, tokenizer, options);
    if ('reason' in whole) {
      refused.push(whole);
      continue;
    }
    lengths.push(whole.ids.length);
    const limit = row.kind === 'chat' ? options.seqLen + 1 : Infinity;
    const cut = whole.ids.length > limit;
    if (cut) truncated++;
    const document = cut ? { ids: whole.ids.slice(0, limit), target: whole.target.slice(0, limit) } : whole;
    if (document.target.includes(1)) documents.push(document);
    else dropped++;
  }
  return { documents, truncated, dropped, refused, lengths: lengthStats(lengths) };
}

function encodeRow(
  row: DataRow,
  at: number,
  chat: Chat,
  tokenizer: Tokenizer,
  { mask, badRows, name, continuous }: SampleOptions,
): Document | BadRow {
  if (row.kind === 'text') {
    const start = !continuous && tokenizer.addBos && tokenizer.bosId !== null ? [tokenizer.bosId] : [];
    const end = !continuous && tokenizer.eosId !== null ? [tokenizer.eosId] : [];
    const text = tokenizer.encode(row.text);
    // An empty text is no document, though its end token could be predicted.
    const ids = text.length ? Uint32Array.from(start.concat(text, end)) : new Uint32Array(0);
    return { ids, target: new Uint8Array(ids.length).fill(1, Math.min(1, ids.length)) };
  }
  try {
    return chat.encode(row.messages, mask);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DATASET_PARSE') throw error;
    const reason = error.detail.replace(/\.$/, '');
    if (badRows === 'refuse') throw rowError(name, at, reason);
    return { row: at, reason };
  }
}

/** Samples of a document: windows of T + 1 tokens, T apart. Those without a target are left out. */
export function cutDocument({ ids, target }: Document, seqLen: number): Sample[] {
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
): { readonly samples: readonly Sample[]; readonly stats: SampleStats & Omit<EncodedRows, 'documents'> } {
  const { documents, ...counts } = encodeRows(rows, tokenizer, options);
  const samples = documents.flatMap((document) => cutDocument(document, options.seqLen));
  if (samples.length === 0) throw noTargets(options.name, options.mask);
  return { samples, stats: { ...counts, ...sampleStats(samples) } };
}

export function noTargets(name: string, mask: Mask): AppError {
  const remedy =
    mask === 'assistant' ? 'Give rows with assistant turns, raise the row length, or take the loss on all tokens.' : 'Give longer rows.';
  return new AppError('NO_TARGETS', `No token of ${name} carries a loss.`, remedy);
}

/** Median, 95th percentile (nearest rank) and largest; zeros for no lengths. */
function lengthStats(lengths: number[]): LengthStats {
  const sorted = lengths.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), max: rank(1) };
}
