// A template is a program from a stranger: what one rendering may cost.

import { TemplateError } from './template-error';

/** Expressions and statements that one rendering may evaluate. A conversation of a hundred messages takes some ten thousand. */
const STEPS = 2_000_000;
/** Characters of the output, and of any text or list that the template builds on the way. */
const SIZE = 2 ** 24;
/** Macros and recursive loops within each other. */
const DEPTH = 60;

export class Budget {
  #steps = 0;
  #depth = 0;
  #built = 0;

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > STEPS) throw new TemplateError(`the template needs more than ${STEPS.toLocaleString('en')} steps`);
  }

  /** Before something of this many characters or items is made. */
  grow(size: number): void {
    this.#built += size;
    if (size > SIZE || this.#built > 16 * SIZE)
      throw new TemplateError(`the template builds more than ${SIZE.toLocaleString('en')} characters`);
  }

  nested<T>(work: () => T): T {
    if (++this.#depth > DEPTH) throw new TemplateError(`the template calls itself more than ${DEPTH} times deep`);
    try {
      return work();
    } finally {
      this.#depth--;
    }
  }
}
