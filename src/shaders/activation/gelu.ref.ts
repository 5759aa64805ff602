// GELU in float64: the reference of the kernels' tests.

const ROOT_2_OVER_PI = Math.sqrt(2 / Math.PI);

/** erf to about 1e-15: its power series for small |z|, the continued fraction of erfc (Lentz) beyond. */
export function erf(z: number): number {
  const a = Math.abs(z);
  if (a < 2.5) {
    // erf z = 2/√π · e^−z² · Σ 2^k z^(2k+1) / (2k+1)!!, all terms of one sign.
    let term = a;
    let sum = a;
    for (let k = 1; term > sum * 1e-17; k++) sum += term *= (2 * a * a) / (2 * k + 1);
    return (Math.sign(z) * 2 * Math.exp(-a * a) * sum) / Math.sqrt(Math.PI);
  }
  // erfc z = e^−z² / √π / (z + (1/2) / (z + (2/2) / (z + (3/2) / …))), from the innermost outwards.
  let fraction = a;
  for (let k = 120; k >= 1; k--) fraction = a + k / 2 / fraction;
  return Math.sign(z) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction);
}

export function geluRef(x: number, kind: 'tanh' | 'erf'): number {
  if (kind === 'erf') return (x / 2) * (1 + erf(x / Math.SQRT2));
  return (x / 2) * (1 + Math.tanh(ROOT_2_OVER_PI * (x + 0.044715 * x ** 3)));
}

/** d gelu / dx. */
export function geluSlopeRef(x: number, kind: 'tanh' | 'erf'): number {
  if (kind === 'erf') return (1 + erf(x / Math.SQRT2)) / 2 + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  const tanh = Math.tanh(ROOT_2_OVER_PI * (x + 0.044715 * x ** 3));
  return (1 + tanh) / 2 + (x / 2) * (1 - tanh * tanh) * ROOT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
}
