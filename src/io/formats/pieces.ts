// The pieces in which tensors move: from files to the GPU, back, into exports and checkpoints. A tensor is never completely in
// memory, however large its vocabulary; callers request its elements from one bound to the next.

/** Elements of a piece: 4 MiB in f32. A multiple of every alignment of bindings, packed pairs and digests. */
export const PIECE_ELEMENTS = 2 ** 20;

/** [start, end) of every piece of a tensor, in elements and in order. */
export function* piecesOf(elements: number): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < elements; start += PIECE_ELEMENTS) yield [start, Math.min(elements, start + PIECE_ELEMENTS)];
}
