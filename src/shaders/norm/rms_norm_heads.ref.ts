// RMS norm of q and k heads in plain loops and float64: each head is a row of the RMS norm's own reference.

import type { HeadSizes } from '../attention/attention_layout';
import { rmsNormBwdRef, rmsNormFwdRef } from './rms_norm.ref';

/** Calls visit(start, row, kind) for every q and k head: where it starts in qkv, its row of rstd, 0 for q and 1 for k. */
function eachHead(rows: number, { heads, kvHeads, headDim }: HeadSizes, visit: (start: number, row: number, kind: number) => void): void {
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads + kvHeads; h++)
      visit((n * (heads + 2 * kvHeads) + h) * headDim, n * (heads + kvHeads) + h, h < heads ? 0 : 1);
  }
}

export function rmsNormHeadsFwdRef(x: ArrayLike<number>, w: ArrayLike<number>, rows: number, sizes: HeadSizes, eps: number) {
  const { heads, kvHeads, headDim } = sizes;
  const values = Array.from(x);
  const weights = Array.from(w);
  const y = Float64Array.from(values);
  const rstd = new Float64Array(rows * (heads + kvHeads));
  eachHead(rows, sizes, (start, row, kind) => {
    const normed = rmsNormFwdRef(values.slice(start, start + headDim), weights.slice(kind * headDim), 1, headDim, eps);
    y.set(normed.y, start);
    rstd[row] = normed.rstd[0];
  });
  return { y, rstd };
}

/** dx equals dy on the v heads. */
export function rmsNormHeadsBwdRef(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  rstd: ArrayLike<number>,
  w: ArrayLike<number>,
  rows: number,
  sizes: HeadSizes,
) {
  const { headDim } = sizes;
  const [upper, values, weights] = [Array.from(dy), Array.from(x), Array.from(w)];
  const dx = Float64Array.from(upper);
  const dw = new Float64Array(2 * headDim);
  eachHead(rows, sizes, (start, row, kind) => {
    const head = (of: readonly number[]): number[] => of.slice(start, start + headDim);
    const grads = rmsNormBwdRef(head(upper), head(values), [rstd[row]], weights.slice(kind * headDim), 1, headDim);
    dx.set(grads.dx, start);
    grads.dw.forEach((value, d) => (dw[kind * headDim + d] += value));
  });
  return { dx, dw };
}
