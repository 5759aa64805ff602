// GeGLU in plain loops and float64: the reference of the kernels' tests.

import { geluRef, geluSlopeRef } from './gelu.ref';

export function gegluFwdRef(gu: ArrayLike<number>, rows: number, ff: number): Float64Array {
  const h = new Float64Array(rows * ff);
  for (let n = 0; n < rows; n++) {
    for (let f = 0; f < ff; f++) h[n * ff + f] = geluRef(gu[n * 2 * ff + f], 'tanh') * gu[n * 2 * ff + ff + f];
  }
  return h;
}

export function gegluBwdRef(dh: ArrayLike<number>, gu: ArrayLike<number>, rows: number, ff: number): Float64Array {
  const dgu = new Float64Array(rows * 2 * ff);
  for (let n = 0; n < rows; n++) {
    for (let f = 0; f < ff; f++) {
      const [gate, up] = [gu[n * 2 * ff + f], gu[n * 2 * ff + ff + f]];
      dgu[n * 2 * ff + f] = dh[n * ff + f] * up * geluSlopeRef(gate, 'tanh');
      dgu[n * 2 * ff + ff + f] = dh[n * ff + f] * geluRef(gate, 'tanh');
    }
  }
  return dgu;
}
