// Rests between steps, so that a machine stays cool and quiet: half pace rests as long as each step took.

/** The longest rest, however long a step took, because commands wait for a rest to end. */
const LONGEST_REST_MS = 5000;

export class DutyCycle {
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;
  #rest = 0;
  /** When the last step began; null before the first. */
  #begun: number | null = null;

  constructor(now: () => number = () => performance.now(), sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))) {
    this.#now = now;
    this.#sleep = sleep;
  }

  /** Share of a step's time to rest after it; 0: none. */
  set share(share: number) {
    this.#rest = share;
  }

  /** Rests for its share of the last step's time. */
  async rest(): Promise<void> {
    const begun = this.#begun;
    this.#begun = null;
    if (begun !== null && this.#rest > 0) await this.#sleep(Math.min(LONGEST_REST_MS, this.#rest * (this.#now() - begun)));
  }

  /** A step begins. */
  begin(): void {
    this.#begun = this.#now();
  }
}
