// y[m, n] = Σ_k a[m, k] · b[k, n], register tiles: dX of a linear layer (a is dY, b the weight [K out, N in]).
//   a [M, K] stride lda · b [K, N] stride ldb · y [M, N] stride ldy; the live extent limits M.
// An invocation owns ROWS × 4 outputs and takes four k at a time; no workgroup memory, no barrier. A workgroup
// of WX × WY invocations covers WY·ROWS rows and WX·4 columns; neighbours in x read neighbouring quads of b.
// Grid: x rows, y columns.
// Assigns, accumulates or continues a sum: begin(), finish_at(). Any M, N, K. ROWS is 4 or 8. A row past the last live
// one computes that one again and stores nothing.

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
  let inside = p.n - col;
  let ldb = p.ldb;   // out of the loop: not every compiler moves uniform loads

  var y0 = begin(row, col);
  var y1 = begin(min(row + 1u, rows - 1u), col);
  var y2 = begin(min(row + 2u, rows - 1u), col);
  var y3 = begin(min(row + 3u, rows - 1u), col);
  var y4 = begin(min(row + 4u, rows - 1u), col);
  var y5 = begin(min(row + 5u, rows - 1u), col);
  var y6 = begin(min(row + 6u, rows - 1u), col);
  var y7 = begin(min(row + 7u, rows - 1u), col);

  var a_at = 0u;
  var b_at = p.b0 + col / 4u * B_QUAD;
  for (var quads = p.k / 4u; quads > 0u; quads--) {
    // The columns of the matrix are rows of b: matrix · vector is Σ over four k.
    let b = mat4x4f(
      load_b(b_at, inside),
      load_b(b_at + ldb, inside),
      load_b(b_at + 2u * ldb, inside),
      load_b(b_at + 3u * ldb, inside),
    );
    y0 += b * load_a(a0 + a_at, 4u);
    y1 += b * load_a(a1 + a_at, 4u);
    y2 += b * load_a(a2 + a_at, 4u);
    y3 += b * load_a(a3 + a_at, 4u);
    if (ROWS == 8u) {
      y4 += b * load_a(a4 + a_at, 4u);
      y5 += b * load_a(a5 + a_at, 4u);
      y6 += b * load_a(a6 + a_at, 4u);
      y7 += b * load_a(a7 + a_at, 4u);
    }
    a_at += A_QUAD;
    b_at += 4u * ldb;
  }

  // The remaining K % 4 terms. Only if a counts in single elements: quads are used only if K % 4 == 0.
  for (var terms = p.k % 4u; terms > 0u; terms--) {
    let b = load_b(b_at, inside);
    y0 += load_a(a0 + a_at, 1u).x * b;
    y1 += load_a(a1 + a_at, 1u).x * b;
    y2 += load_a(a2 + a_at, 1u).x * b;
    y3 += load_a(a3 + a_at, 1u).x * b;
    if (ROWS == 8u) {
      y4 += load_a(a4 + a_at, 1u).x * b;
      y5 += load_a(a5 + a_at, 1u).x * b;
      y6 += load_a(a6 + a_at, 1u).x * b;
      y7 += load_a(a7 + a_at, 1u).x * b;
    }
    a_at += 1u;
    b_at += ldb;
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
