// Epilogue of a product that is the gradient of SwiGLU's output: y = the gradients of gate and up (swiglu_maths.wgsl).
//   y, gu [M, 2N] (gate, then up), strides ldy. N is a multiple of 4.
// Of each row, Σ y · gu: what the gradient of the norm before gate and up needs (epilogue_norm_bwd.wgsl).

@group(0) @binding(7) var<storage, read> gu: array<vec4f>;

fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  let at = row * p.ldy + col / 4u;
  let gate = gu[at];
  let up = gu[at + N / 4u];
  let gated = silu(gate);
  let d_gate = sum * up * gated.sigma * gated.more;
  let d_up = sum * gate * gated.sigma;
  keep(at, d_gate);
  keep(at + N / 4u, d_up);
  add_to_row(dot(d_gate, gate) + dot(d_up, up));
}
