import { expect, it } from 'vitest';
import { randomStream } from '../base/random';
import { productSquares, sumOfSquares } from './low-rank';

/** ‖B·A‖_F with B·A formed, float64. */
function formed(a: Float32Array, b: Float32Array, rank: number): number {
  const [inputs, outputs] = [a.length / rank, b.length / rank];
  let sum = 0;
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      let value = 0;
      for (let r = 0; r < rank; r++) value += b[o * rank + r] * a[r * inputs + c];
      sum += value * value;
    }
  }
  return Math.sqrt(sum);
}

it('‖B·A‖ by Gram matrices equals that of B·A formed, to 1e-6 in relative terms', () => {
  let worst = 0;
  for (const [rank, inputs, outputs] of [
    [1, 1, 1],
    [1, 7, 3],
    [3, 5, 9],
    [16, 64, 172],
    [8, 300, 2],
    [16, 768, 768],
  ]) {
    const random = randomStream(rank, inputs, outputs);
    const matrix = (length: number, scale: number): Float32Array =>
      Float32Array.from({ length }, () => (random.nextFloat() * 2 - 1) * scale);
    const [a, b] = [matrix(rank * inputs, 1 / Math.sqrt(inputs)), matrix(outputs * rank, 1e-3)];
    worst = Math.max(worst, Math.abs(Math.sqrt(productSquares(a, b, rank)) / formed(a, b, rank) - 1));
  }
  // Measured: 2e-15. Sums of some hundred thousand products in float64.
  expect(worst).toBeLessThan(1e-6);
  console.info(`‖BA‖ by Gram against forming it: worst relative difference ${worst.toExponential(1)}`);
});

it('columns of B·A that cancel, and B = 0, as LoRA starts', () => {
  // Two rows of A that are opposite, under equal columns of B: B·A = 0.
  expect(productSquares([1, 2, -1, -2], [3, 3, 4, 4], 2)).toBe(0);
  expect(productSquares([1, 2, 3], [0, 0], 1)).toBe(0);
  expect(productSquares([3, 4], [2], 1)).toBe(100);
  expect(sumOfSquares([3, 4])).toBe(25);
});
