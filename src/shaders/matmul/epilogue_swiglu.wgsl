// Epilogue of a product whose columns are gate and up side by side: y = a·b + bias, and act = silu(gate) · up beside it (swiglu_maths.wgsl).
//   y [M, 2·HALF], stride ldy; act [M, HALF]. An invocation has two gates and their ups (matmul_tiles.wgsl, HALF).
// KEEP: 0 leaves y out, because nothing reads it.

@group(0) @binding(7) var<storage, read_write> act: array<vec2f>;

fn emit(row: u32, place: u32, part: u32, sum: vec4f) {
  let col = column(place);
  let gate = sum.xy + bias_pair(col);
  let up = sum.zw + bias_pair(col + HALF);
  keep(row * p.ldy + col / 2u, gate);
  keep(row * p.ldy + (col + HALF) / 2u, up);
  act[(row * HALF + col) / 2u] = gate * silu(gate).sigma * up;
}
