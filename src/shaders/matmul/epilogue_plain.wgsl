// No epilogue: y = a·b + bias.   y [M, N], stride ldy. N is a multiple of 4.

fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  keep(row * p.ldy + col / 4u, sum + load_bias(col / 4u, 4u));
}
