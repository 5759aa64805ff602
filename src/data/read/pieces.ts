// A record whose text comes in pieces. What is longer than any row that anybody trains on is let go as it comes in, so a file of one row
// takes no more memory than one of many.

import type { RowFault } from './rows';

/** Characters of the longest record: a wrapper around all rows of a data set may be one. */
export const MOST_RECORD = 2 ** 26;

export const TOO_LONG: RowFault = {
  field: 'the row',
  reason: `is longer than ${(MOST_RECORD / 1e6).toFixed(0)} million characters`,
  remedy: () => 'Split it into several rows; if it is an object around all rows, save the rows as JSON lines.',
};

/** A text that grows by pieces, without copying it at every piece. */
export class Pieces {
  #parts: string[] = [];
  #length = 0;

  /** Longer than a record may be. */
  get over(): boolean {
    return this.#length > MOST_RECORD;
  }

  add(text: string): void {
    if (text === '') return;
    this.#length += text.length;
    if (this.over) this.#parts = [];
    else this.#parts.push(text);
  }

  /** The text, and from here on nothing; null if it was too long. */
  take(): string | null {
    const text = this.over ? null : this.#parts.join('');
    this.#parts = [];
    this.#length = 0;
    return text;
  }
}
