// The last step of a product, from sums to y, where no epilogue takes its place:
//   y[row, col] = alpha · sum + bias[col] + residual[row, col]   (+ y[row, col], see ACCUMULATE)
// bias and residual have the format of y; residual has its strides and offset too.

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

// Writes y[row, col..col + 3] of a part of the sum.
fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  finish_at(p.y0 + part * p.part + row * p.ldy + col / 4u * Y_QUAD, col / 4u * BIAS_QUAD, p.n - col, sum);
}
