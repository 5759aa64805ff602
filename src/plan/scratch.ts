// Reuse of short-lived buffers. Segments run one after another, so their transients share one pool; inside a
// segment two values share a buffer when their lifetimes do not overlap.

export interface Transient {
  readonly name: string;
  readonly bytes: number;
  /** Index of the first and of the last op of the segment that touches it. */
  readonly first: number;
  readonly last: number;
}

export interface ScratchPool {
  /** Bytes of each pool buffer. */
  readonly sizes: readonly number[];
  /** For each segment, value name to pool buffer. */
  readonly assignment: readonly ReadonlyMap<string, number>[];
}

/**
 * Assigns the transients of every segment to a common pool. Largest first and first fit: large values claim
 * the first buffers in every segment, so that they land on the same ones.
 */
export function assignScratch(segments: readonly (readonly Transient[])[]): ScratchPool {
  const sizes: number[] = [];
  const assignment = segments.map((transients) => {
    const places = new Map<string, number>();
    const taken: Transient[][] = [];
    const order = [...transients].sort((a, b) => b.bytes - a.bytes || a.first - b.first || (a.name < b.name ? -1 : 1));
    for (const transient of order) {
      let slot = taken.findIndex((others) => others.every((other) => other.last < transient.first || transient.last < other.first));
      if (slot < 0) slot = taken.push([]) - 1;
      taken[slot].push(transient);
      sizes[slot] = Math.max(sizes[slot] ?? 0, transient.bytes);
      places.set(transient.name, slot);
    }
    return places;
  });
  return { sizes, assignment };
}
