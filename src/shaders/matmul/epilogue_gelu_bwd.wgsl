// Epilogue of a product that is the gradient of GELU's output: y = (a·b) · GELU'(x), the gradient of its input (gelu_maths.wgsl).
//   y, x [M, N], strides ldy. N is a multiple of 4.

@group(0) @binding(7) var<storage, read> x: array<vec4f>;

fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  let at = row * p.ldy + col / 4u;
  keep(at, sum * gelu(x[at]).slope);
}
