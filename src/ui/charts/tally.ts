// How many values of a growing column pass a test. An update costs only the new values. Pure.

import type { Column } from '../../store/run/columns';

export class Tally {
  #count = 0;
  #seen = 0;

  constructor(
    readonly column: Column,
    readonly test: (value: number) => boolean,
  ) {}

  follow(): number {
    for (; this.#seen < this.column.length; this.#seen++) if (this.test(this.column.at(this.#seen))) this.#count++;
    return this.#count;
  }
}
