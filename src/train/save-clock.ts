// When a run saves by itself: soon after its beginning, and then as often as saving costs at most a fiftieth of the training time.
// It decides only when a checkpoint is written, never what a step computes. Pure.

/** The first checkpoint comes after the first period, or after this much training. */
const FIRST_SECONDS = 30;
/** The largest share of the training time that is spent on saving. */
const SHARE = 0.02;
/** However cheap it is, it is not done more often than this. */
const LEAST_SECONDS = 5;

export class SaveClock {
  #saves = 0;
  /** Seconds spent on saving, and of the last save. */
  #spent = 0;
  #last = 0;
  /** Seconds of training at the last save. */
  #at = 0;

  /** `endsPeriod`: the step that was just made is the last one of a period. `trained`: seconds of training so far, without saving. */
  isDue(endsPeriod: boolean, trained: number): boolean {
    if (this.#saves === 0) return endsPeriod || trained >= FIRST_SECONDS;
    return trained - this.#at >= LEAST_SECONDS && this.#spent + this.#last <= SHARE * trained;
  }

  /** Seconds that a save took. A run that was resumed has one that cost nothing. */
  noteSave(seconds: number, trained: number): void {
    this.#saves++;
    this.#spent += seconds;
    this.#last = seconds;
    this.#at = trained;
  }
}
