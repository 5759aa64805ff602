// Pause, step and stop: what a session asks before every step. No GPU, no timers.

export type GateAnswer = 'go' | 'stop';

export class Gate {
  #paused: boolean;
  #stopped = false;
  #discarded = false;
  #steps = 0;
  #waiting: ((answer: GateAnswer) => void) | null = null;
  readonly #onPause: () => Promise<void>;
  readonly #onResume: () => void;

  /** onPause runs whenever a step is asked for and none may go; onResume when training goes on after that. */
  constructor(paused: boolean, onPause: () => Promise<void>, onResume: () => void) {
    this.#paused = paused;
    this.#onPause = onPause;
    this.#onResume = onResume;
  }

  async ask(): Promise<GateAnswer> {
    const now = this.#answer();
    if (now) return now;
    await this.#onPause();
    // Something may have been said while the pause was prepared.
    const answer = this.#answer() ?? (await new Promise<GateAnswer>((resolve) => (this.#waiting = resolve)));
    if (answer === 'go') this.#onResume();
    return answer;
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
