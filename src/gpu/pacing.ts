// How much work goes into one command buffer, and how many of them may be under way. The device's speed is learned from the times at which
// command buffers end, as the host sees them: late by up to a poll of the browser (100 ms in Firefox), several at once, or after the host itself was
// busy. So what is learned from one observation is bounded, upwards more than downwards.

/** Work of a dispatch or of a command buffer. */
export interface Load {
  readonly flops: number;
  readonly bytes: number;
}

/** A command buffer lasts about so long: a page's compositor waits for it, and a browser's watchdog counts its seconds. */
export const TARGET_MS = 50;
/** Cost of a dispatch besides its work. */
const DISPATCH_MS = 0.01;
/** Speed is taken to be at most so many times what it was, and at least one so many-th. */
const MOST_GROWTH = 2;
const MOST_DECLINE = 8;
/** What ends so soon after something else was seen in the same look of the host: it is learned from together with what ends next. */
const SHORTEST_MS = 1;
const LEAST_DEPTH = 2;
const MOST_DEPTH = 6;
/** After so many rounds in which the device did not run dry, one command buffer less is kept under way. */
const PATIENCE = 32;

interface UnderWay extends Load {
  readonly submitted: number;
  readonly dispatches: number;
}

export class Pacing {
  /** Work per ms; at first a slow CPU's, so that the first cuts are small. */
  #flops = 5e5;
  #bytes = 2e5;
  /** What has ended and is not learned from yet, and when the last of it was seen. */
  #ended: UnderWay[] = [];
  #endedAt = 0;
  #underWay = 0;
  #lastEnd = 0;
  #depth = LEAST_DEPTH;
  #rounds = 0;

  /** Command buffers that may be under way. More where the device runs dry between two looks of the host. */
  get depth(): number {
    return this.#depth;
  }

  /** Milliseconds that this work takes, as far as is known. */
  predict({ flops, bytes }: Load, dispatches = 1): number {
    return flops / this.#flops + bytes / this.#bytes + dispatches * DISPATCH_MS;
  }

  submitted(load: Load, dispatches: number, now: number): UnderWay {
    this.#underWay++;
    return { ...load, dispatches, submitted: now };
  }

  /** A command buffer has been seen to end. */
  ended(load: UnderWay, now: number): void {
    this.#underWay--;
    this.#ended.push(load);
    this.#endedAt = now;
  }

  /** Learns from what has ended since the last call. Called before the next command buffer is filled. */
  settle(): void {
    const [ended, now] = [this.#ended, this.#endedAt];
    if (ended.length === 0) return;
    const sum = (of: (load: UnderWay) => number): number => ended.reduce((all, load) => all + of(load), 0);
    const start = Math.max(this.#lastEnd, Math.min(...ended.map(({ submitted }) => submitted)));
    if (now - start < SHORTEST_MS) return;
    this.#ended = [];
    this.#lastEnd = now;
    const [flops, bytes, dispatches] = [sum((load) => load.flops), sum((load) => load.bytes), sum((load) => load.dispatches)];
    this.#learn({ flops, bytes }, dispatches, now - start);
    if (this.#underWay === 0 && ended.length >= this.#depth) {
      this.#depth = Math.min(MOST_DEPTH, this.#depth + 1);
      this.#rounds = 0;
    } else if (++this.#rounds >= PATIENCE) {
      this.#depth = Math.max(LEAST_DEPTH, this.#depth - 1);
      this.#rounds = 0;
    }
  }

  /** Moves each speed by its share of the time that was predicted. */
  #learn(load: Load, dispatches: number, ms: number): void {
    const predicted = this.predict(load, dispatches);
    const ratio = predicted / ms;
    if (!(ratio > 0) || !Number.isFinite(ratio)) return;
    const factor = Math.min(MOST_GROWTH, Math.max(1 / MOST_DECLINE, ratio));
    this.#flops *= factor ** (load.flops / this.#flops / predicted);
    this.#bytes *= factor ** (load.bytes / this.#bytes / predicted);
  }
}
