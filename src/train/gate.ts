// Pause, step, stop, and requests between two steps. A session asks the gate before every step, and rests here inside samples and
// evaluations while it is paused. No GPU, no timers.

/** What may be requested between two steps; the session does it and asks again. */
export type Errand = 'save' | 'verify';
export type GateAnswer = 'go' | 'stop' | Errand;

export class Gate {
  #paused: boolean;
  #stopped = false;
  #discarded = false;
  #steps = 0;
  /** In the order of the requests, each once. */
  readonly #errands = new Set<Errand>();
  #waiting: ((answer: GateAnswer) => void) | null = null;
  /** A person paused it, and has not let it go on. A run that starts paused is evaluated first. */
  #held = false;
  #resting: (() => void) | null = null;
  readonly #onPause: () => Promise<void>;

  /** onPause runs whenever the session asks for a step and none may run. */
  constructor(paused: boolean, onPause: () => Promise<void>) {
    this.#paused = paused;
    this.#onPause = onPause;
  }

  async ask(): Promise<GateAnswer> {
    const now = this.#answer();
    if (now) return now;
    await this.#onPause();
    // A command may have come while the pause was prepared.
    return this.#answer() ?? new Promise<GateAnswer>((resolve) => (this.#waiting = resolve));
  }

  /**
   * Resolves at once, or after a pause that came during long work between two steps. A request lets the work go on too: it is done
   * when the work is, because a checkpoint in the middle of an evaluation would leave that evaluation out.
   */
  async rest(onRest: () => void): Promise<void> {
    if (!this.#rests) return;
    onRest();
    while (this.#rests) await new Promise<void>((resolve) => (this.#resting = resolve));
  }

  pause(): void {
    this.#paused = true;
    this.#held = true;
    this.#steps = 0;
  }

  continue(): void {
    this.#paused = false;
    this.#held = false;
    this.#wake();
  }

  /** Allows one step, then pauses. */
  step(): void {
    this.#paused = true;
    this.#held = false;
    this.#steps = 1;
    this.#wake();
  }

  /** The session does it before the next step, or at once while paused, but not after stop, because a run that stops saves by itself. */
  want(errand: Errand): void {
    this.#errands.add(errand);
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Like stop, but the run's results are not wanted any more. */
  discard(): void {
    this.#discarded = true;
    this.stop();
  }

  get discarded(): boolean {
    return this.#discarded;
  }

  get #rests(): boolean {
    return this.#held && !this.#stopped && this.#errands.size === 0;
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
    this.#resting?.();
    this.#resting = null;
    const waiting = this.#waiting;
    if (!waiting) return;
    const answer = this.#answer();
    if (!answer) return;
    this.#waiting = null;
    waiting(answer);
  }
}
