// Copies of held-out documents in the training part: rows of exactly the same tokens. What is learned by heart would
// otherwise be counted as understood.

interface Tokens {
  readonly ids: Uint32Array;
}

/** FNV-1a over the ids; only says which documents are worth comparing. */
function hashOf(ids: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (const id of ids) hash = Math.imul(hash ^ id, 0x01000193);
  return hash;
}

const same = (a: Uint32Array, b: Uint32Array): boolean => a.length === b.length && a.every((id, i) => id === b[i]);

/** The documents of `train` that `held` has too, in order. */
export function copiesOf<T extends Tokens>(train: readonly T[], held: readonly Tokens[]): T[] {
  const byHash = new Map<number, Uint32Array[]>();
  for (const { ids } of held) {
    const hash = hashOf(ids);
    const others = byHash.get(hash);
    if (others) others.push(ids);
    else byHash.set(hash, [ids]);
  }
  return train.filter(({ ids }) => byHash.get(hashOf(ids))?.some((other) => same(ids, other)));
}
