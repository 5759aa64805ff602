// Holds out data for evaluation if the person gave none.

import { randomStream } from '../../base/random';
import type { Steps } from './steps';

export interface Split<T> {
  /** Both in the order of the file. */
  readonly train: readonly T[];
  readonly held: readonly T[];
}

/** Items to hold out of n: the share, rounded; at least one and at most half; none if there are fewer than two, or for share 0. */
export function heldCount(n: number, share: number): number {
  return share <= 0 || n < 2 ? 0 : Math.min(Math.max(1, Math.round(n * share)), Math.floor(n / 2));
}

/** Items between two steps. */
const ITEMS_A_STEP = 2 ** 14;

/** Draws what is held out with the stream (seed, 'split'). It works in steps, because it goes over all items several times. */
export function* splittingAtRandom<T>(items: readonly T[], share: number, seed: number): Steps<Split<T>> {
  const order = new Uint32Array(items.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  yield 1;
  for (const _ of randomStream(seed, 'split').shuffling(order)) yield 1;
  const chosen = new Set(order.subarray(0, heldCount(items.length, share)));
  const [train, held]: [T[], T[]] = [[], []];
  for (const [i, item] of items.entries()) {
    (chosen.has(i) ? held : train).push(item);
    if (i % ITEMS_A_STEP === 0) yield 1;
  }
  return { train, held };
}

/** Holds out the end, for the windows of one continuous text. */
export function splitAtEnd<T>(items: readonly T[], share: number): Split<T> {
  const first = items.length - heldCount(items.length, share);
  return { train: items.slice(0, first), held: items.slice(first) };
}
