// Speed of a download over its last seconds, and the time that is left. Pure.

/** Milliseconds that the figure looks back. */
const WINDOW_MS = 6000;
/** Before this many milliseconds have passed there is no figure. */
const LEAST_MS = 500;

export class SpeedMeter {
  readonly #marks: { readonly at: number; readonly bytes: number }[] = [];

  /** `bytes`: so far, in all. `at`: milliseconds of any steady clock. */
  mark(bytes: number, at: number): void {
    this.#marks.push({ at, bytes });
    while (this.#marks.length > 2 && this.#marks[1].at <= at - WINDOW_MS) this.#marks.shift();
  }

  /** Forgets the seconds before a pause, which say nothing. */
  reset(): void {
    this.#marks.length = 0;
  }

  /** Bytes a second; null before there is a figure. */
  get speed(): number | null {
    const first = this.#marks.at(0);
    const last = this.#marks.at(-1);
    if (!first || !last || last.at - first.at < LEAST_MS) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }

  /** Null if there is no figure, or if nothing moves. */
  secondsLeft(rest: number): number | null {
    const { speed } = this;
    return speed === null || speed <= 0 ? null : rest / speed;
  }
}
