// A short name for what a run trains: model shape, weights and samples. A checkpoint refuses to go on with others.

import type { Sample } from '../data/types';
import type { ModelShape } from '../model/types';
import { murmur3 } from '../random';

/** Values of a tensor that its digest looks at: enough to tell two models apart, few enough to cost nothing. */
const DIGEST_VALUES = 256;

/** A number for a tensor's contents, from values spread evenly over it, bit by bit. */
export function tensorDigest(data: Float32Array<ArrayBuffer>): number {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const count = Math.min(DIGEST_VALUES, bits.length);
  return murmur3(
    Array.from({ length: count }, (_, i) => bits[Math.floor((i * bits.length) / count)]),
    5,
  );
}

/** `weights`: digests of the model's tensors before training, in table order. `samples`: training, then held-out. */
export function runFingerprint(shape: ModelShape, weights: readonly number[], ...samples: readonly (readonly Sample[])[]): string {
  const words = Array.from(JSON.stringify(shape), (char) => char.charCodeAt(0));
  words.push(...weights);
  for (const set of samples) {
    words.push(set.length);
    for (const { ids, target } of set) words.push(murmur3([...ids], 1), murmur3([...target], 2));
  }
  return [3, 4].map((seed) => murmur3(words, seed).toString(16).padStart(8, '0')).join('');
}
