// Sum over rows in float64: the reference of the kernel's test.

export function columnSumRef(dy: ArrayLike<number>, rows: number, width: number, ldy: number, y0: number): Float64Array {
  const db = new Float64Array(width);
  for (let n = 0; n < rows; n++) for (let c = 0; c < width; c++) db[c] += dy[n * ldy + y0 + c];
  return db;
}
