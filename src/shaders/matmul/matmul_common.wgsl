// What every matmul kernel shares: its params, and the last step from sums of products to y.
//   y[row, col] = alpha · sum + bias[col] + residual[row, col]   (+ y[row, col], see ACCUMULATE)
// An address counts in the unit of its operand: quads or single elements, see load_*.wgsl and store_*.wgsl.
// bias and residual have the format of y; residual has its strides and offset too.

struct Params {
  m: u32,        // capacity: rows of y
  n: u32,        // columns of y
  k: u32,        // capacity: terms of a sum
  lda: u32,      // addresses from one stored row to the next
  ldb: u32,
  ldy: u32,
  a0: u32,       // address of the first element
  b0: u32,
  y0: u32,
  extent: u32,   // what limits m (nt, nn) or k (tn), for live_rows()
  row0: u32,
  alpha: f32,
  span: u32,     // tiles: terms of a part of the sum (k if there is only one), and addresses from one part's y to the next
  part: u32,
  part0: u32,    // first part of this dispatch
}

@group(0) @binding(0) var<uniform> p: Params;

// ACCUMULATE: 0 assigns, 1 adds to y, 2 adds in every micro-batch of a step but the first, 3 continues the sum in y.
fn accumulates() -> bool {
  return ACCUMULATE == 1u || (ACCUMULATE == 2u && frame.accumulate != 0u);
}

// What the sum for y[row, col..col + 3] starts from. row < M, col < N, col a multiple of 4.
fn begin(row: u32, col: u32) -> vec4f {
  if (ACCUMULATE != 3u) { return vec4f(); }
  return load_y(p.y0 + row * p.ldy + col / 4u * Y_QUAD, p.n - col);
}

fn finish_at(at: u32, bias_at: u32, left: u32, sum: vec4f) {
  var value = p.alpha * sum + load_bias(bias_at, left) + load_residual(at, left);
  if (accumulates()) { value += load_y(at, left); }
  store_y(at, left, value);
}

// Writes those of y[row, col..col + 3] that are inside the row. row < M, col < N, col a multiple of 4.
fn finish(row: u32, col: u32, sum: vec4f) {
  finish_at(p.y0 + row * p.ldy + col / 4u * Y_QUAD, col / 4u * BIAS_QUAD, p.n - col, sum);
}

// Writes y[row, col], any col. Only if y counts in single elements.
fn finish_one(row: u32, col: u32, sum: f32) {
  finish_at(p.y0 + row * p.ldy + col, col, 1u, vec4f(sum, 0.0, 0.0, 0.0));
}
