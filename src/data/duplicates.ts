// Copies of held-out documents in the training part: rows of exactly the same tokens. What is learned by heart would
// otherwise be counted as understood.

interface Tokens {
  readonly parts: readonly { readonly ids: Uint32Array }[];
}

/** FNV-1a over the ids; only says which documents are worth comparing. */
function hashOf({ parts }: Tokens): number {
  let hash = 0x811c9dc5;
  for (const { ids } of parts) for (const id of ids) hash = Math.imul(hash ^ id, 0x01000193);
  return hash;
}

const sameIds = (a: Uint32Array, b: Uint32Array): boolean => a.length === b.length && a.every((id, i) => id === b[i]);
const same = (a: Tokens, b: Tokens): boolean =>
  a.parts.length === b.parts.length && a.parts.every(({ ids }, i) => sameIds(ids, b.parts[i].ids));

/** The documents of `train` that `held` has too, in order. */
export function copiesOf<T extends Tokens>(train: readonly T[], held: readonly Tokens[]): T[] {
  const byHash = new Map<number, Tokens[]>();
  for (const document of held) {
    const hash = hashOf(document);
    const others = byHash.get(hash);
    if (others) others.push(document);
    else byHash.set(hash, [document]);
  }
  return train.filter((document) => byHash.get(hashOf(document))?.some((other) => same(document, other)));
}
