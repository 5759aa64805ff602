// Embedding in plain loops and float64: the reference of the kernels' tests.

export function embeddingFwdRef(
  tokens: ArrayLike<number>,
  table: ArrayLike<number>,
  rows: number,
  width: number,
  positions?: { table: ArrayLike<number>; segStart: ArrayLike<number>; past: number },
): Float64Array {
  const x = new Float64Array(rows * width);
  for (let n = 0; n < rows; n++) {
    for (let c = 0; c < width; c++) {
      x[n * width + c] = table[tokens[n] * width + c];
      if (positions) x[n * width + c] += positions.table[(n - positions.segStart[n] + positions.past) * width + c];
    }
  }
  return x;
}

/** dw + the scatter-add of dx by id. */
export function embeddingBwdRef(
  dw: ArrayLike<number>,
  dx: ArrayLike<number>,
  ids: ArrayLike<number>,
  rows: number,
  width: number,
): Float64Array {
  const sum = Float64Array.from(dw);
  for (let n = 0; n < rows; n++) {
    for (let c = 0; c < width; c++) sum[ids[n] * width + c] += dx[n * width + c];
  }
  return sum;
}
