// y[m, n] = Σ_k a[m, k] · b[n, k], register tiles: the forward of a linear layer, b its weight.
//   a [M, K] stride lda · b [N, K] stride ldb · y [M, N] stride ldy; the live extent limits M.
// An invocation owns ROWS × 4 outputs and takes four k at a time; no workgroup memory, no barrier. A workgroup
// of WX × WY invocations covers WY·ROWS rows and WX·4 columns. Grid: x rows, y columns, so that workgroups
// that run side by side share their part of b, which is usually the larger operand.
// Assigns or accumulates: finish_at(). Any M, N, K. ROWS is 4 or 8. A row or column past the edge of y computes
// the last one again and stores nothing.

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let rows = live_rows(p.extent, p.row0, p.m);
  let row = (group.x * WY + local.y) * ROWS;
  let col = (group.y * WX + local.x) * 4u;
  if (row >= rows || col >= p.n) { return; }

  let a0 = p.a0 + row * p.lda;
  let a1 = p.a0 + min(row + 1u, rows - 1u) * p.lda;
  let a2 = p.a0 + min(row + 2u, rows - 1u) * p.lda;
  let a3 = p.a0 + min(row + 3u, rows - 1u) * p.lda;
  let a4 = p.a0 + min(row + 4u, rows - 1u) * p.lda;
  let a5 = p.a0 + min(row + 5u, rows - 1u) * p.lda;
  let a6 = p.a0 + min(row + 6u, rows - 1u) * p.lda;
  let a7 = p.a0 + min(row + 7u, rows - 1u) * p.lda;
  let b0 = p.b0 + col * p.ldb;
  let b1 = p.b0 + min(col + 1u, p.n - 1u) * p.ldb;
  let b2 = p.b0 + min(col + 2u, p.n - 1u) * p.ldb;
  let b3 = p.b0 + min(col + 3u, p.n - 1u) * p.ldb;

  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  var y4 = vec4f();
  var y5 = vec4f();
  var y6 = vec4f();
  var y7 = vec4f();

  var a_at = 0u;
  var b_at = 0u;
  for (var quads = p.k / 4u; quads > 0u; quads--) {
    // The columns of the matrix are rows of b: vector · matrix is four dot products over k.
    let b = mat4x4f(load_b(b0 + b_at, 4u), load_b(b1 + b_at, 4u), load_b(b2 + b_at, 4u), load_b(b3 + b_at, 4u));
    y0 += load_a(a0 + a_at, 4u) * b;
    y1 += load_a(a1 + a_at, 4u) * b;
    y2 += load_a(a2 + a_at, 4u) * b;
    y3 += load_a(a3 + a_at, 4u) * b;
    if (ROWS == 8u) {
      y4 += load_a(a4 + a_at, 4u) * b;
      y5 += load_a(a5 + a_at, 4u) * b;
      y6 += load_a(a6 + a_at, 4u) * b;
      y7 += load_a(a7 + a_at, 4u) * b;
    }
    a_at += A_QUAD;
    b_at += B_QUAD;
  }

  let left = p.k % 4u;
  if (left > 0u) {
    let b = mat4x4f(load_b(b0 + b_at, left), load_b(b1 + b_at, left), load_b(b2 + b_at, left), load_b(b3 + b_at, left));
    y0 += load_a(a0 + a_at, left) * b;
    y1 += load_a(a1 + a_at, left) * b;
    y2 += load_a(a2 + a_at, left) * b;
    y3 += load_a(a3 + a_at, left) * b;
    if (ROWS == 8u) {
      y4 += load_a(a4 + a_at, left) * b;
      y5 += load_a(a5 + a_at, left) * b;
      y6 += load_a(a6 + a_at, left) * b;
      y7 += load_a(a7 + a_at, left) * b;
    }
  }

  finish(row, col, y0);
  if (row + 1u < rows) { finish(row + 1u, col, y1); }
  if (row + 2u < rows) { finish(row + 2u, col, y2); }
  if (row + 3u < rows) { finish(row + 3u, col, y3); }
  if (ROWS == 8u) {
    if (row + 4u < rows) { finish(row + 4u, col, y4); }
    if (row + 5u < rows) { finish(row + 5u, col, y5); }
    if (row + 6u < rows) { finish(row + 6u, col, y6); }
    if (row + 7u < rows) { finish(row + 7u, col, y7); }
  }
}
