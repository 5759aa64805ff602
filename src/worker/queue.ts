// Work that must not overlap, in the order in which it was asked for. One that fails does not hold up the next.

export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all that was asked for so far is done. */
  idle(): Promise<void> {
    return this.run(() => undefined);
  }
}
