// Norm and clip factor in float64: the reference of the kernels' tests.

export function gradNormRef(ranges: readonly ArrayLike<number>[], maxNorm: number): { norm: number; clip: number } {
  let sum = 0;
  for (const range of ranges) for (let i = 0; i < range.length; i++) sum += range[i] ** 2;
  const norm = Math.sqrt(sum);
  return { norm, clip: maxNorm === 0 ? 1 : Math.min(1, maxNorm / (norm + 1e-6)) };
}
