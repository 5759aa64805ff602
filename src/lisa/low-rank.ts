// Norms of a LoRA update B·A (arXiv 2106.09685) without forming it. Pure, float64.

/** Sum of the squares. */
export function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}

/**
 * ‖B·A‖²_F for A [r, in] and B [out, r], both row by row. Since ‖BA‖² = tr(AᵀBᵀBA) = Σ_ij (BᵀB)_ij (AAᵀ)_ij, two r × r Gram matrices
 * are enough: r²·(in + out) products instead of r·in·out.
 */
export function productSquares(a: ArrayLike<number>, b: ArrayLike<number>, rank: number): number {
  const [inputs, outputs] = [a.length / rank, b.length / rank];
  let sum = 0;
  for (let i = 0; i < rank; i++) {
    for (let j = i; j < rank; j++) {
      let rows = 0;
      for (let c = 0; c < inputs; c++) rows += a[i * inputs + c] * a[j * inputs + c];
      let columns = 0;
      for (let o = 0; o < outputs; o++) columns += b[o * rank + i] * b[o * rank + j];
      sum += (i === j ? 1 : 2) * rows * columns;
    }
  }
  // Rounding may leave a tiny negative sum where the exact one is 0.
  return Math.max(0, sum);
}
