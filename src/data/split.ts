// Holding out data for evaluation where the person gave none. What is held out must not be in training too, so
// exact copies of held-out documents leave the training part.

import { randomStream } from '../random';

export interface Split<T> {
  /** Both in the order of the file. */
  readonly train: readonly T[];
  readonly held: readonly T[];
  /** Copies of held-out items that were taken out of training. */
  readonly duplicates: number;
}

/** Items to hold out of n: the share, rounded; at least one and at most half; none of fewer than two or for share 0. */
export function heldCount(n: number, share: number): number {
  return share <= 0 || n < 2 ? 0 : Math.min(Math.max(1, Math.round(n * share)), Math.floor(n / 2));
}

/**
 * Draws what is held out with the stream (seed, 'split'). `keyOf` says which items are copies. Where all items are
 * copies of each other nothing can be held out, and nothing is.
 */
export function splitAtRandom<T>(items: readonly T[], keyOf: (item: T) => string, share: number, seed: number): Split<T> {
  const order = randomStream(seed, 'split').shuffle(Uint32Array.from(items.keys()));
  const chosen = new Set(order.subarray(0, heldCount(items.length, share)));
  const held = items.filter((_, i) => chosen.has(i));
  const keys = new Set(held.map(keyOf));
  const train = items.filter((item, i) => !chosen.has(i) && !keys.has(keyOf(item)));
  if (train.length === 0) return { train: items, held: [], duplicates: 0 };
  return { train, held, duplicates: items.length - held.length - train.length };
}

/** Holds out the end, for the windows of one continuous text. */
export function splitAtEnd<T>(items: readonly T[], share: number): Split<T> {
  const first = items.length - heldCount(items.length, share);
  return { train: items.slice(0, first), held: items.slice(first), duplicates: 0 };
}
