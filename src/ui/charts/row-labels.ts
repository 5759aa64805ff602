// Which rows of a raster have their name beside them, so that names do not overlap. Pure.

/** Line height of the names, px. */
const LINE = 11;

export interface NamedRow {
  /** Null for head, norm and embedding. */
  readonly layer: number | null;
}

/** Indices of rows, in order. The ends come first, then round layers, then the norm. `cell`: height of a row in px. */
export function namedRows(rows: readonly NamedRow[], cell: number): number[] {
  const every = cell >= 12 ? 1 : cell >= 9 ? 2 : 5;
  const last = rows.length - 1;
  const layers = rows.flatMap(({ layer }, i) => (layer !== null && layer % every === 0 ? [i] : []));
  const others = rows.flatMap(({ layer }, i) => (layer === null && i > 0 && i < last ? [i] : []));
  const named: number[] = [];
  for (const row of [0, last, ...layers, ...others]) {
    if (named.every((other) => Math.abs(other - row) * cell >= LINE)) named.push(row);
  }
  return named.sort((a, b) => a - b);
}
