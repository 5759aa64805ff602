// A column of numbers reduced to pixels. Where several steps share a pixel, the first, the lowest, the highest and the last are
// kept, so a spike of one step stays on the chart. An update costs only the new steps, however long the run is. Pure.

import type { Column } from '../../store/run/columns';

export interface StepAxis {
  /** Steps of the whole run: the right end. */
  readonly steps: number;
  /** Pixels from step 0 to the last. */
  readonly width: number;
}

export class PixelSeries {
  /** Pixels that hold a value. */
  count = 0;
  /** Changes when a pixel is new, or has a new highest value. */
  peaks = 0;
  /** The largest value; minus infinity while there is none. */
  highest = -Infinity;
  /** By pixel that holds a value, in order. x is that of the pixel's first step. */
  readonly x: Float64Array;
  readonly first: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly last: Float64Array;
  /** 1 where the lowest comes before the highest. */
  readonly rises: Uint8Array;
  /** Place in the columns of the pixel's highest value. */
  readonly highestAt: Int32Array;
  readonly #pixel: Int32Array;
  #seen = 0;

  constructor(
    readonly steps: Column,
    readonly values: Column,
    readonly axis: StepAxis,
  ) {
    const pixels = Math.floor(axis.width) + 2;
    [this.x, this.first, this.low, this.high, this.last] = Array.from({ length: 5 }, () => new Float64Array(pixels)) as Five;
    this.rises = new Uint8Array(pixels);
    this.highestAt = new Int32Array(pixels);
    this.#pixel = new Int32Array(pixels);
  }

  /** Takes in what was added to the columns since the last call. Values that are not numbers are left out. */
  follow(): this {
    const { steps, values, axis } = this;
    const end = Math.min(steps.length, values.length);
    const perStep = axis.width / axis.steps;
    for (; this.#seen < end; this.#seen++) {
      const value = values.at(this.#seen);
      const x = steps.at(this.#seen) * perStep;
      if (Number.isFinite(value) && x <= axis.width + 1) this.#take(x, value);
    }
    return this;
  }

  #take(x: number, value: number): void {
    const pixel = Math.floor(x);
    let at = this.count - 1;
    if (at < 0 || this.#pixel[at] !== pixel) {
      at = this.count++;
      this.#pixel[at] = pixel;
      this.x[at] = x;
      this.first[at] = this.low[at] = this.high[at] = value;
      this.highestAt[at] = this.#seen;
      this.peaks++;
    } else if (value < this.low[at]) {
      this.low[at] = value;
      this.rises[at] = 0;
    } else if (value > this.high[at]) {
      this.high[at] = value;
      this.highestAt[at] = this.#seen;
      this.peaks++;
      this.rises[at] = 1;
    }
    this.last[at] = value;
    if (value > this.highest) this.highest = value;
  }
}

type Five = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
