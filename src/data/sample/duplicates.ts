// Copies of held-out documents in the training part: rows with exactly the same tokens. Otherwise memorized rows would look
// like understanding.

import type { TokenStore } from '../batch/token-store';

export interface Comparable {
  readonly store: TokenStore;
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
  /** TokenStore.hash of the ranges. */
  readonly hash: number;
}

const same = (a: Comparable, b: Comparable): boolean =>
  a.starts.length === b.starts.length &&
  a.starts.every((start, i) => a.lengths[i] === b.lengths[i] && a.store.sameIds(start, b.store, b.starts[i], a.lengths[i]));

/** The documents of `train` that are also in `held`, in order: found by hash, confirmed by their ids. */
export function copiesOf<T extends Comparable>(train: readonly T[], held: readonly Comparable[]): T[] {
  const byHash = new Map<number, Comparable[]>();
  for (const document of held) {
    const others = byHash.get(document.hash);
    if (others) others.push(document);
    else byHash.set(document.hash, [document]);
  }
  return train.filter((document) => byHash.get(document.hash)?.some((other) => same(document, other)));
}
