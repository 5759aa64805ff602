// Gather and scatter of rows in plain loops: the reference of the kernels' tests.

export function gatherRowsRef(x: ArrayLike<number>, index: readonly number[], width: number): Float64Array {
  const y = new Float64Array(index.length * width);
  index.forEach((from, m) => {
    for (let c = 0; c < width; c++) y[m * width + c] = x[from * width + c];
  });
  return y;
}

/** y [rows, width] with row index[m] = x[m], and 0 elsewhere. */
export function scatterRowsRef(x: ArrayLike<number>, index: readonly number[], rows: number, width: number): Float64Array {
  const y = new Float64Array(rows * width);
  index.forEach((to, m) => {
    for (let c = 0; c < width; c++) y[to * width + c] = x[m * width + c];
  });
  return y;
}
