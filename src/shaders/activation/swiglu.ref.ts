// SwiGLU in plain loops and float64: the reference of the kernels' tests.

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function swigluFwdRef(gu: ArrayLike<number>, rows: number, ff: number): Float64Array {
  const h = new Float64Array(rows * ff);
  for (let n = 0; n < rows; n++) {
    for (let f = 0; f < ff; f++) {
      const gate = gu[n * 2 * ff + f];
      h[n * ff + f] = gate * sigmoid(gate) * gu[n * 2 * ff + ff + f];
    }
  }
  return h;
}

export function swigluBwdRef(dh: ArrayLike<number>, gu: ArrayLike<number>, rows: number, ff: number): Float64Array {
  const dgu = new Float64Array(rows * 2 * ff);
  for (let n = 0; n < rows; n++) {
    for (let f = 0; f < ff; f++) {
      const gate = gu[n * 2 * ff + f];
      const up = gu[n * 2 * ff + ff + f];
      const sigma = sigmoid(gate);
      dgu[n * 2 * ff + f] = dh[n * ff + f] * up * sigma * (1 + gate * (1 - sigma));
      dgu[n * 2 * ff + ff + f] = dh[n * ff + f] * gate * sigma;
    }
  }
  return dgu;
}
