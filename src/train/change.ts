// How far numbers moved: ‖after − before‖ / ‖before‖ (Frobenius), summed in float64 over all arrays that are added.

export class Change {
  #moved = 0;
  #size = 0;

  add(before: Float32Array, after: Float32Array): this {
    let moved = 0;
    let size = 0;
    for (let i = 0; i < before.length; i++) {
      const was = before[i];
      const difference = after[i] - was;
      moved += difference * difference;
      size += was * was;
    }
    this.#moved += moved;
    this.#size += size;
    return this;
  }

  /** 0 if nothing moved, infinite if all values were zero before and some moved. */
  get relative(): number {
    return this.#moved === 0 ? 0 : Math.sqrt(this.#moved / this.#size);
  }
}
