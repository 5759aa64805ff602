// A short name for what a run trains: model shape, weights and samples. A checkpoint cannot be resumed with others.

import type { SampleList } from '../data/batch/token-store';
import type { TensorPiece } from '../io/sources/model-files';
import { elementsOf, type ModelShape } from '../model/types';
import { murmur3 } from '../base/random';

/** Values of a tensor that its digest looks at: enough to tell two models apart, few enough to cost nothing. */
const DIGEST_VALUES = 256;

/** Numbers for the contents of tensors, each from values spread evenly over the tensor, bit by bit. */
export class TensorDigests {
  #values: number[] = [];
  readonly #done: number[] = [];

  /** Adds the next piece. Pieces must come in order: all of one tensor, then all of the next. */
  add({ row, start, data }: TensorPiece): void {
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    const elements = elementsOf(row);
    const count = Math.min(DIGEST_VALUES, elements);
    for (; this.#values.length < count;) {
      const at = Math.floor((this.#values.length * elements) / count) - start;
      if (at >= bits.length) return;
      this.#values.push(bits[at]);
    }
    if (start + bits.length < elements) return;
    this.#done.push(murmur3(this.#values, 5));
    this.#values = [];
  }

  /** Digests of the completed tensors, in their order. */
  get all(): readonly number[] {
    return this.#done;
  }
}

/** `weights`: digests of the model's tensors before training, in table order. `samples`: training, then held-out. */
export function runFingerprint(shape: ModelShape, weights: readonly number[], ...samples: readonly SampleList[]): string {
  const words = Array.from(JSON.stringify(shape), (char) => char.charCodeAt(0));
  words.push(...weights);
  for (const set of samples) {
    words.push(set.length);
    for (const { ids, target } of set) words.push(murmur3([...ids], 1), murmur3([...target], 2));
  }
  return [3, 4].map((seed) => murmur3(words, seed).toString(16).padStart(8, '0')).join('');
}
