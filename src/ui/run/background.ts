// What a hidden tab costs, from measured step times: browsers slow hidden tabs down, and a machine may sleep. This file uses no
// clock and no document; tab-watch.ts provides both.

import { formatMs, formatRoughly } from '../format';

/** Times of the run's steps so far. */
export interface StepTimes {
  readonly length: number;
  at(index: number): number;
}

/** The number of steps before the tab was hidden from which the earlier speed is taken. */
const WINDOW = 20;
/** With fewer steps than this, the speed is unknown. */
const LEAST_STEPS = 3;
/** Shorter absences are not worth a message. */
const LEAST_HIDDEN_MS = 10_000;
/** Steps that differ by less than this are equally fast. */
const SAME = 0.05;
/**
 * A hidden page's timers fire once a minute at worst. If nothing happened for longer than this, the machine or the browser
 * had stopped the tab.
 */
const LEAST_SLEEP_MS = 150_000;

interface Moment {
  readonly ms: number;
  /** Steps that had been measured by then. */
  readonly steps: number;
}

export interface Absence {
  readonly hiddenMs: number;
  readonly asleepMs: number;
  /** Mean time of a step before and while the tab was hidden; NaN if there were too few steps. */
  readonly beforeMs: number;
  readonly duringMs: number;
}

/** Follows one run. It is told of every timer tick and of every change between hidden and visible. */
export class TabLog {
  readonly #times: StepTimes;
  #beat: Moment;
  /** Since when the tab has been visible, and since when hidden. */
  #shown: number;
  #hidden: Moment | null = null;
  #asleepMs = 0;
  /** Steps during which the machine may have slept; their time is not training time. */
  #disturbed = new Set<number>();

  constructor(times: StepTimes, ms: number, hidden: boolean) {
    this.#times = times;
    this.#shown = times.length;
    this.#beat = this.#moment(ms);
    if (hidden) this.#hidden = this.#beat;
  }

  /** The timer. It finds out whether everything stood still since the last tick. */
  beat(ms: number): void {
    const before = this.#beat;
    this.#beat = this.#moment(ms);
    const still = ms - before.ms - this.#sum(before.steps, this.#beat.steps);
    if (still < LEAST_SLEEP_MS) return;
    this.#asleepMs += still;
    for (let step = before.steps; step <= this.#beat.steps; step++) this.#disturbed.add(step);
  }

  hide(ms: number): void {
    this.beat(ms);
    this.#hidden ??= this.#moment(ms);
    this.#asleepMs = 0;
  }

  /** What happened since the tab was hidden; null if it was not hidden. */
  show(ms: number): Absence | null {
    this.beat(ms);
    const left = this.#hidden;
    this.#hidden = null;
    if (!left) return null;
    const from = Math.max(this.#shown, left.steps - WINDOW);
    this.#shown = this.#times.length;
    return {
      hiddenMs: ms - left.ms,
      asleepMs: this.#asleepMs,
      // The first step of a run compiles pipelines.
      beforeMs: this.#mean(Math.max(from, 1), left.steps),
      duringMs: this.#mean(Math.max(left.steps, 1), this.#times.length),
    };
  }

  #moment(ms: number): Moment {
    return { ms, steps: this.#times.length };
  }

  #sum(from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) sum += this.#times.at(i);
    return sum;
  }

  #mean(from: number, to: number): number {
    let sum = 0;
    let count = 0;
    for (let i = from; i < to; i++) {
      if (this.#disturbed.has(i)) continue;
      sum += this.#times.at(i);
      count++;
    }
    return count >= LEAST_STEPS ? sum / count : NaN;
  }
}

const stepTime = (ms: number): string => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : formatMs(ms));

/** Sentences for the person who comes back; empty if there is nothing worth saying. */
export function absenceSentences({ hiddenMs, asleepMs, beforeMs, duringMs }: Absence): string[] {
  const said: string[] = [];
  if (hiddenMs >= LEAST_HIDDEN_MS && Number.isFinite(duringMs)) {
    const hidden = `While this tab was hidden for ${formatRoughly(hiddenMs)},`;
    const [before, during] = [stepTime(beforeMs), stepTime(duringMs)];
    if (!Number.isFinite(beforeMs)) said.push(`${hidden} a step took ${during} (measured).`);
    else if (Math.abs(duringMs / beforeMs - 1) < SAME || before === during)
      said.push(`${hidden} training was as fast as before: a step took ${during} (measured).`);
    else said.push(`${hidden} a step took ${during} instead of ${before} (measured).`);
  }
  if (asleepMs > 0)
    said.push(`Nothing ran for about ${formatRoughly(asleepMs)}: the machine slept, or the browser put the tab to sleep. Training waited.`);
  return said;
}
