// Epilogue of a product that is the gradient of SwiGLU's output: y = the gradients of gate and up (swiglu_maths.wgsl).
//   y, gu [M, 2N] (gate, then up), strides ldy. N is a multiple of 4.

@group(0) @binding(7) var<storage, read> gu: array<vec4f>;

fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  let at = row * p.ldy + col / 4u;
  let gate = gu[at];
  let gated = silu(gate);
  keep(at, sum * gu[at + N / 4u] * gated.sigma * gated.more);
  keep(at + N / 4u, sum * gate * gated.sigma);
}
