// Long work in slices: between two of them the worker hears commands.

/** Work between two looks at what else has been asked. */
const SLICE_MS = 20;

/** Lets messages in. */
export const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export class Pace {
  #sliceEnd = performance.now() + SLICE_MS;

  /** `wanted`: false once nobody waits for the work any more. */
  constructor(private readonly wanted: () => boolean) {}

  /** Asked between two pieces of work; false: stop. */
  async next(): Promise<boolean> {
    if (performance.now() < this.#sliceEnd) return true;
    await rest();
    this.#sliceEnd = performance.now() + SLICE_MS;
    return this.wanted();
  }

  /** Runs steps to their end; null where nobody wants it. */
  async finish<T>(steps: Generator<unknown, T>): Promise<T | null> {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (!(await this.next())) return null;
    }
  }
}
