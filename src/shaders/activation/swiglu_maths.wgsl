// SwiGLU(gate, up) = silu(gate) · up,  silu(g) = g · σ(g),  σ(g) = 1 / (1 + e^−g),  d silu(g) / dg = σ · (1 + g · (1 − σ)).
// The exponent is clamped: WGSL does not guarantee infinities.

struct Silu {
  sigma: V,
  more: V,   // 1 + g · (1 − σ)
}

fn silu(gate: V) -> Silu {
  let e = exp(clamp(-gate, V(-80.0), V(80.0)));
  let sigma = 1.0 / (1.0 + e);
  // 1 − σ = e σ, without the cancellation.
  return Silu(sigma, 1.0 + gate * (e * sigma));
}
