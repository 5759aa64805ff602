// The plain-loop reference of matmul.ts, summed in float64. Reads and writes flat arrays with strides, as the
// kernels do.

import type { MatmulLayout } from './matmul';

export interface MatmulReference {
  readonly layout: MatmulLayout;
  /** The live sizes. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldy: number;
  readonly a0: number;
  readonly b0: number;
  readonly y0: number;
  readonly alpha: number;
  /** y += … */
  readonly accumulate: boolean;
}

type Numbers = Float32Array | Float64Array;

/** y after the product; elements outside [m, n] are those of `before`. */
export function matmulReference(
  shape: MatmulReference,
  before: Numbers,
  a: Numbers,
  b: Numbers,
  bias?: Numbers,
  residual?: Numbers,
): Float64Array {
  const { layout, m, n, k, lda, ldb, ldy, a0, b0, y0, alpha, accumulate } = shape;
  const y = Float64Array.from(before);
  for (let row = 0; row < m; row++) {
    for (let col = 0; col < n; col++) {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const left = layout === 'tn' ? a[i * lda + a0 + row] : a[row * lda + a0 + i];
        const right = layout === 'nt' ? b[col * ldb + b0 + i] : b[i * ldb + b0 + col];
        sum += left * right;
      }
      const at = row * ldy + y0 + col;
      y[at] = alpha * sum + (bias ? bias[col] : 0) + (residual ? residual[at] : 0) + (accumulate ? y[at] : 0);
    }
  }
  return y;
}
