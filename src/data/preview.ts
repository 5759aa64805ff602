// What a person sees of their data before a run: rows as read, their tokens, and the counts.

import type { DataFormat } from './parse';
import type { BadRow, DataRow } from './types';

/** A token of a sample, and whether it carries a loss. Texts joined give the row as the model reads it. */
export interface PreviewToken {
  readonly text: string;
  readonly id: number;
  readonly target: boolean;
}

export interface PreviewRow {
  readonly row: DataRow;
  readonly heldOut: boolean;
  /** As the model gets it: at most T + 1 tokens of its first sample. */
  readonly tokens: readonly PreviewToken[];
  /** Tokens before anything was cut. */
  readonly length: number;
}

export interface DataPreview {
  readonly name: string;
  readonly format: DataFormat;
  /** Columns of a CSV header or keys of the JSON rows, most frequent first; empty for plain text. */
  readonly columns: readonly string[];
  /** The first rows of the file. */
  readonly rows: readonly PreviewRow[];
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
    readonly badRows: number;
    /** Samples (rows or windows) in an epoch. */
    readonly samples: number;
  };
  readonly lengths: {
    readonly p50: number;
    readonly p95: number;
    readonly max: number;
    /** Rows by length: bin i counts lengths in [i·width, (i+1)·width). */
    readonly bins: readonly number[];
    readonly width: number;
  };
  /** How chats are rendered: the model's own template, the fallback, or none because the rows are plain text. */
  readonly template: 'model' | 'fallback' | 'none';
}
