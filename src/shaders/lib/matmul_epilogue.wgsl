// What every matmul shares: its params, and the last step from a sum of products to y.
//   y[row, col..col+3] = alpha · sum + bias[col..] + residual[row, col..]   (+ y, see ACCUMULATE)
// Strides and offsets are in the addresses of their operand (quads or elements, see load_*.wgsl); residual
// has the format, strides and offset of y.

struct Params {
  m: u32,        // capacity: rows of y
  n: u32,        // columns of y
  k: u32,        // capacity: length of the sums
  lda: u32,      // addresses from row to row
  ldb: u32,
  ldy: u32,
  a0: u32,       // address of the first element
  b0: u32,
  y0: u32,
  extent: u32,   // which extent limits m (nt, nn) or k (tn): live_rows()
  row0: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> p: Params;

// ACCUMULATE, a constant of the kernel: 0 assigns, 1 adds to y, 2 adds unless this is the step's first micro-batch.
fn accumulates() -> bool {
  return ACCUMULATE == 1u || (ACCUMULATE == 2u && frame.accumulate != 0u);
}

// Writes one quad of y. The caller has checked that row and col are inside y; col is a multiple of 4.
fn finish(row: u32, col: u32, sum: vec4f) {
  let left = p.n - col;
  let quad = col / 4u;
  let at = row * p.ldy + p.y0 + quad * Y_QUAD;
  var value = p.alpha * sum + load_bias(quad * BIAS_QUAD, left) + load_residual(at, left);
  if (accumulates()) { value += load_y(at, left); }
  store_y(at, left, value);
}
