// How far numbers moved: ‖after − before‖ / ‖before‖ (Frobenius), summed in float64 over as many arrays as are added.

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

  /** 0 where nothing moved, infinite where what moved was all zero before. */
  get relative(): number {
    return this.#moved === 0 ? 0 : Math.sqrt(this.#moved / this.#size);
  }
}
