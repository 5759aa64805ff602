// Cuts long work into short pieces, between which the worker can receive commands.

/** How long the worker works before it checks for messages. */
const TURN_MS = 20;

/** Lets messages arrive. */
export const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export class Pace {
  #turnEnd = performance.now() + TURN_MS;

  /** `wanted`: false once nobody waits for the work any more. */
  constructor(private readonly wanted: () => boolean) {}

  /** Called between two pieces of work; false means stop. */
  async next(): Promise<boolean> {
    if (performance.now() < this.#turnEnd) return true;
    await rest();
    this.#turnEnd = performance.now() + TURN_MS;
    return this.wanted();
  }

  /** Runs steps to their end; null if the result is no longer wanted. */
  async finish<T>(steps: Generator<unknown, T>): Promise<T | null> {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (!(await this.next())) return null;
    }
  }
}
