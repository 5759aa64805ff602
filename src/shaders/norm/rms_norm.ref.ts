// RMS norm in plain loops and float64: the reference of the kernels' tests.

export interface RmsNormSaved {
  y: Float64Array;
  rstd: Float64Array;
}

export function rmsNormFwdRef(x: ArrayLike<number>, w: ArrayLike<number>, rows: number, width: number, eps: number): RmsNormSaved {
  const y = new Float64Array(rows * width);
  const rstd = new Float64Array(rows);
  for (let n = 0; n < rows; n++) {
    let squares = 0;
    for (let c = 0; c < width; c++) squares += x[n * width + c] ** 2;
    rstd[n] = 1 / Math.sqrt(squares / width + eps);
    for (let c = 0; c < width; c++) y[n * width + c] = x[n * width + c] * rstd[n] * w[c];
  }
  return { y, rstd };
}

export function rmsNormBwdRef(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  rstd: ArrayLike<number>,
  w: ArrayLike<number>,
  rows: number,
  width: number,
) {
  const dx = new Float64Array(rows * width);
  const dw = new Float64Array(width);
  for (let n = 0; n < rows; n++) {
    let mean = 0;
    for (let c = 0; c < width; c++) mean += (dy[n * width + c] * w[c] * x[n * width + c] * rstd[n]) / width;
    for (let c = 0; c < width; c++) {
      const at = n * width + c;
      const normed = x[at] * rstd[n];
      dx[at] = rstd[n] * (dy[at] * w[c] - normed * mean);
      dw[c] += dy[at] * normed;
    }
  }
  return { dx, dw };
}
