// An append-only column of numbers that grows by doubling: a run of a million steps makes no garbage.

export class Column {
  #data = new Float64Array(256);
  #length = 0;

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
