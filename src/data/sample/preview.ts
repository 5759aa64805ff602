// What a person sees of their data before a run: rows as read, their tokens, and the counts.

import type { ErrorInfo } from '../../base/errors';
import type { Histogram, LengthStats } from './lengths';
import type { Ending } from '../tokenize/ending';
import type { DataFormat } from '../read/parse';
import type { BadRow, DataRow } from '../read/types';

/** A token of a sample. Texts joined give the sample as the tokenizer decodes it. */
export interface PreviewToken {
  /** Empty for a token that only holds the first bytes of a character; the token that ends it has it whole. */
  readonly text: string;
  readonly id: number;
  /** Whether it counts toward the loss. */
  readonly target: boolean;
  /** One of the tokenizer's special tokens, such as the end of a turn. */
  readonly special: boolean;
}

/**
 * What a run does with a row. A duplicate is a copy of a held-out row (taken out of training with dedupe on, else
 * trained on); a dropped row has no token that counts toward the loss.
 */
export type RowUse = 'training' | 'evaluation' | 'duplicate' | 'dropped';

export interface PreviewRow {
  readonly row: DataRow;
  readonly use: RowUse;
  /** As the model gets it: at most T + 1 tokens of its first sample. */
  readonly tokens: readonly PreviewToken[];
  /** Tokens before anything was cut. */
  readonly length: number;
  /** Number of samples that the row becomes, one per answer; `tokens` are those of the last. Absent if it becomes one sample. */
  readonly perAnswer?: number;
}

/** What can be shown before everything is counted. */
export interface DataHead {
  readonly name: string;
  /** Null if no row could be read. */
  readonly format: DataFormat | null;
  /** Columns of a CSV header or keys of the JSON rows, most frequent first; empty for plain text. */
  readonly columns: readonly string[];
  /**
   * The first rows of the file that could be read; of plain text windows, whose `row` is their number. Before everything
   * is counted, `use` is 'training'.
   */
  readonly rows: readonly PreviewRow[];
  /** How chats are rendered: the model's own template, the fallback, prompt and completion joined as they are, or
   * none because the rows are plain text. */
  readonly template: 'model' | 'fallback' | 'joined' | 'none';
  /** The token that ends turns or texts, as training teaches it. */
  readonly ending: Ending;
  /** Keys that are not read, and in how many rows so far. */
  readonly unread: Readonly<Record<string, number>>;
}

export interface DataPreview extends DataHead {
  /** The first bad rows; counts.badRows is their number. */
  readonly badRows: readonly BadRow[];
  readonly counts: {
    /** Rows trained on. */
    readonly rows: number;
    readonly evalRows: number;
    readonly duplicates: number;
    readonly tokens: number;
    readonly targets: number;
    readonly truncated: number;
    readonly dropped: number;
    /** Rows that become one sample per answer, because the chat template rewrites earlier turns. */
    readonly perAnswer: number;
    readonly badRows: number;
    /** Different tokens in the samples to train on. */
    readonly distinct?: number;
    /** Samples (rows or windows) in an epoch. */
    readonly samples: number;
  };
  /** Tokens of the file's rows, uncut. */
  readonly lengths: LengthStats & Histogram;
  /** Why a run would refuse the data, although it can be shown; null if a run would accept it. */
  readonly refusal: ErrorInfo | null;
}
