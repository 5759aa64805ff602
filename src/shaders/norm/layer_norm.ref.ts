// Layer norm in plain loops and float64: the reference of the kernels' tests.

export interface LayerNormSaved {
  y: Float64Array;
  mean: Float64Array;
  rstd: Float64Array;
}

export function layerNormFwdRef(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  b: ArrayLike<number>,
  rows: number,
  width: number,
  eps: number,
): LayerNormSaved {
  const y = new Float64Array(rows * width);
  const mean = new Float64Array(rows);
  const rstd = new Float64Array(rows);
  for (let n = 0; n < rows; n++) {
    for (let c = 0; c < width; c++) mean[n] += x[n * width + c] / width;
    let variance = 0;
    for (let c = 0; c < width; c++) variance += (x[n * width + c] - mean[n]) ** 2 / width;
    rstd[n] = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < width; c++) y[n * width + c] = (x[n * width + c] - mean[n]) * rstd[n] * w[c] + b[c];
  }
  return { y, mean, rstd };
}

export function layerNormBwdRef(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  mean: ArrayLike<number>,
  rstd: ArrayLike<number>,
  w: ArrayLike<number>,
  rows: number,
  width: number,
) {
  const dx = new Float64Array(rows * width);
  const dw = new Float64Array(width);
  const db = new Float64Array(width);
  for (let n = 0; n < rows; n++) {
    let meanG = 0;
    let meanGx = 0;
    for (let c = 0; c < width; c++) {
      const at = n * width + c;
      meanG += (dy[at] * w[c]) / width;
      meanGx += (dy[at] * w[c] * (x[at] - mean[n]) * rstd[n]) / width;
    }
    for (let c = 0; c < width; c++) {
      const at = n * width + c;
      const normed = (x[at] - mean[n]) * rstd[n];
      dx[at] = rstd[n] * (dy[at] * w[c] - meanG - normed * meanGx);
      dw[c] += dy[at] * normed;
      db[c] += dy[at];
    }
  }
  return { dx, dw, db };
}
