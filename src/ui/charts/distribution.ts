// The distribution of a growing column: bounds, percentiles, and how many values lie outside a range. An update costs only the
// new values. Percentiles come from a histogram with 64 bins per doubling, so they are within 1.1 %. Pure.

import type { Column } from '../../store/run/columns';

const PER_OCTAVE = 64;
const LOWEST = 2 ** -20;
const OCTAVES = 40;

export class Distribution {
  /** Smallest and largest number; infinite while there are no numbers. */
  low = Infinity;
  high = -Infinity;
  /** Smallest number above zero. */
  positiveLow = Infinity;
  /** Values that are numbers. */
  count = 0;
  readonly #classes = new Uint32Array(OCTAVES * PER_OCTAVE);
  #seen = 0;

  constructor(readonly column: Column) {}

  follow(): this {
    for (; this.#seen < this.column.length; this.#seen++) {
      const value = this.column.at(this.#seen);
      if (!Number.isFinite(value)) continue;
      this.count++;
      if (value < this.low) this.low = value;
      if (value > this.high) this.high = value;
      if (value > 0 && value < this.positiveLow) this.positiveLow = value;
      this.#classes[classOf(value)]++;
    }
    return this;
  }

  /** Bounds that leave out at most this share of the values at each end, and how many values they leave out. */
  within(share: number): { readonly low: number; readonly high: number; readonly outside: number } {
    const allowed = Math.floor(this.count * share);
    let below = 0;
    let first = 0;
    while (first < this.#classes.length - 1 && below + this.#classes[first] <= allowed) below += this.#classes[first++];
    let above = 0;
    let last = this.#classes.length - 1;
    while (last > first && above + this.#classes[last] <= allowed) above += this.#classes[last--];
    // Never wider than the values themselves.
    return { low: Math.max(this.low, edge(first)), high: Math.min(this.high, edge(last + 1)), outside: below + above };
  }
}

/** It holds everything at or below the lowest bin. */
const classOf = (value: number): number =>
  value <= LOWEST ? 0 : Math.min(OCTAVES * PER_OCTAVE - 1, Math.floor(Math.log2(value / LOWEST) * PER_OCTAVE));

/** Lower bound of a bin. */
const edge = (index: number): number => (index === 0 ? -Infinity : LOWEST * 2 ** (index / PER_OCTAVE));
