// A window that slides, as bounds of keys and queries: the attention kernels of a step walk from a first key to the query, or from a key to a
// last query, wherever these bounds come from.

/** [rows] each: the first key of a query, and one past the last query of a key. */
export interface WindowBounds {
  readonly windowStart: Uint32Array<ArrayBuffer>;
  readonly windowEnd: Uint32Array<ArrayBuffer>;
}

/** The document's bounds, but a token sees itself and at most the size − 1 tokens before it. Both rise with the row, as the documents' do. */
export const windowBounds = (segStart: Uint32Array, segEnd: Uint32Array, size: number): WindowBounds => ({
  windowStart: Uint32Array.from(segStart, (start, row) => Math.max(start, row + 1 - size)),
  windowEnd: Uint32Array.from(segEnd, (end, row) => Math.min(end, row + size)),
});
