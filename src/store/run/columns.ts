// An append-only column of numbers that grows by doubling: a run of a million steps makes no garbage. Its moving
// average follows it at the cost of the new numbers alone.

export class Column {
  #data: Float64Array;
  #length: number;

  /** `from`: numbers to begin with; they are copied. */
  constructor(from?: ArrayLike<number>) {
    this.#length = from?.length ?? 0;
    this.#data = new Float64Array(Math.max(256, this.#length));
    if (from) this.#data.set(from);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#data.length) {
      const grown = new Float64Array(this.#data.length * 2);
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data[this.#length++] = value;
  }

  /** NaN outside the column. */
  at(index: number): number {
    return index >= 0 && index < this.#length ? this.#data[index] : NaN;
  }

  get last(): number {
    return this.at(this.#length - 1);
  }

  /** A view, valid until the next push. */
  values(): Float64Array {
    return this.#data.subarray(0, this.#length);
  }
}

/** Weight of the past in the average, unless the person chooses another. */
export const EMA_DECAY = 0.9;

/**
 * The exponential moving average of a column, debiased: the first value is the column's first. A NaN leaves the average as it is.
 */
export class MovingAverage {
  readonly column = new Column();
  #sum = 0;
  #weight = 0;

  /** decay: weight of the past, 0 (the column itself) to below 1. */
  constructor(
    readonly source: Column,
    readonly decay = EMA_DECAY,
  ) {}

  /** The average as far as the source goes now. */
  follow(): Column {
    const { source, decay, column } = this;
    for (let i = column.length; i < source.length; i++) {
      const value = source.at(i);
      if (Number.isFinite(value)) {
        this.#sum = decay * this.#sum + (1 - decay) * value;
        this.#weight = decay * this.#weight + (1 - decay);
      }
      column.push(this.#weight > 0 ? this.#sum / this.#weight : NaN);
    }
    return column;
  }
}
