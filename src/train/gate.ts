// Pause, step, stop, and what is wanted between two steps: what a session asks before every step. No GPU, no timers.

/** What may be wanted between two steps; the session does it and asks again. */
export type Errand = 'save' | 'verify';
export type GateAnswer = 'go' | 'stop' | Errand;

export class Gate {
  #paused: boolean;
  #stopped = false;
  #discarded = false;
  #steps = 0;
  /** In the order in which they were asked for, each once. */
  readonly #errands = new Set<Errand>();
  #waiting: ((answer: GateAnswer) => void) | null = null;
  readonly #onPause: () => Promise<void>;

  /** onPause runs whenever a step is asked for and none may go. */
  constructor(paused: boolean, onPause: () => Promise<void>) {
    this.#paused = paused;
    this.#onPause = onPause;
  }

  async ask(): Promise<GateAnswer> {
    const now = this.#answer();
    if (now) return now;
    await this.#onPause();
    // Something may have been said while the pause was prepared.
    return this.#answer() ?? new Promise<GateAnswer>((resolve) => (this.#waiting = resolve));
  }

  pause(): void {
    this.#paused = true;
    this.#steps = 0;
  }

  continue(): void {
    this.#paused = false;
    this.#wake();
  }

  /** One step, then pause. */
  step(): void {
    this.#paused = true;
    this.#steps = 1;
    this.#wake();
  }

  /** Before the next step, or at once while paused. Not after stop: that end saves by itself. */
  want(errand: Errand): void {
    this.#errands.add(errand);
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Like stop, but nothing of the run is wanted any more. */
  discard(): void {
    this.#discarded = true;
    this.stop();
  }

  get discarded(): boolean {
    return this.#discarded;
  }

  #answer(): GateAnswer | null {
    if (this.#stopped) return 'stop';
    for (const errand of this.#errands) {
      this.#errands.delete(errand);
      return errand;
    }
    if (!this.#paused) return 'go';
    if (this.#steps === 0) return null;
    this.#steps--;
    return 'go';
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    const answer = this.#answer();
    if (!answer) return;
    this.#waiting = null;
    waiting(answer);
  }
}
