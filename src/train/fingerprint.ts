// A short name for what a run trains: model shape and samples. A checkpoint refuses to go on with others.

import type { Sample } from '../data/types';
import type { ModelShape } from '../model/types';
import { murmur3 } from '../random';

export function runFingerprint(shape: ModelShape, samples: readonly Sample[]): string {
  const text = JSON.stringify(shape);
  const words = Array.from(text, (char) => char.charCodeAt(0));
  for (const { ids, target } of samples) words.push(murmur3([...ids], 1), murmur3([...target], 2));
  return [3, 4].map((seed) => murmur3(words, seed).toString(16).padStart(8, '0')).join('');
}
