// Epilogue of a product: y = a·b + bias, and act = GELU(y) beside it (gelu_maths.wgsl).
//   y, act [M, N], strides ldy and N. N is a multiple of 4. KEEP: 0 leaves y out, because nothing reads it.

@group(0) @binding(7) var<storage, read_write> act: array<vec4f>;

fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  let value = sum + load_bias(col / 4u, 4u);
  keep(row * p.ldy + col / 4u, value);
  act[row * (N / 4u) + col / 4u] = value * gelu(value).cdf;
}
