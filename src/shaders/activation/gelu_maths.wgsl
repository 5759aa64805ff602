// GELU(x) = x · Φ(x) and its derivative in x. KIND picks Φ:
//   0 (tanh): Φ ≈ (1 + tanh u) / 2 = 1 / (1 + e^−2u),  u = √(2/π) · (x + 0.044715 x³)
//   1 (erf):  Φ = (1 + erf(x/√2)) / 2, the normal distribution's
// WGSL has no erf. With z = |x|/√2 and t = 1/(1 + z/2), erfc(z) = e^−z² · t · P(2t − 1): e^z² erfc(z) / t is
// smooth on [0, 1], and P interpolates it at the 11 Chebyshev nodes of that range (fitted for this file in
// 40 digits; error in exact arithmetic 8e-9, in f32 about 2 units in the last place of 1).
// Exponents are clamped: beyond ±80 the result has reached its limit, and WGSL does not guarantee infinities.

const KIND_TANH = 0u;

struct Gelu {
  cdf: V,    // Φ(x)
  slope: V,  // d/dx (x Φ(x))
}

fn gelu_tanh(x: V) -> Gelu {
  let u = 0.7978845608 * x * (1.0 + 0.044715 * x * x);
  let e = exp(clamp(-2.0 * u, V(-80.0), V(80.0)));
  let cdf = 1.0 / (1.0 + e);
  let du = 0.7978845608 * (1.0 + 0.134145 * x * x);
  // 1 − Φ = e Φ, without the cancellation.
  return Gelu(cdf, cdf + 2.0 * x * cdf * (e * cdf) * du);
}

fn gelu_erf(x: V) -> Gelu {
  let e = exp(max(-0.5 * x * x, V(-80.0)));
  let t = 1.0 / (1.0 + 0.3535533906 * abs(x));
  let s = 2.0 * t - 1.0;
  var poly = V(4.42884220e-5);
  poly = poly * s - 3.67643683e-5;
  poly = poly * s - 3.04719101e-4;
  poly = poly * s + 4.31040034e-4;
  poly = poly * s + 1.533847053e-3;
  poly = poly * s - 3.243733075e-3;
  poly = poly * s - 1.0753310885e-2;
  poly = poly * s + 1.82217491e-2;
  poly = poly * s + 0.139735946;
  poly = poly * s + 0.343580313;
  poly = poly * s + 0.510791353;
  let tail = 0.5 * e * t * poly;
  let cdf = select(tail, 1.0 - tail, x > V(0.0));
  return Gelu(cdf, cdf + x * e * 0.3989422804);
}

fn gelu(x: V) -> Gelu {
  if (KIND == KIND_TANH) { return gelu_tanh(x); }
  return gelu_erf(x);
}
