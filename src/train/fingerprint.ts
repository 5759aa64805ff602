// A short name for what a run trains: model shape, weights and samples. A checkpoint refuses to go on with others.

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

  /** The next piece: all of one tensor, in order, then all of the next. */
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

  /** Of the tensors that are through, in their order. */
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
