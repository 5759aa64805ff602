// y[m, n] = Σ_k a[m, k] · b[n, k], register tiles (the forward of a linear layer: b is the weight).
//   a [M, K] stride lda, b [N, K] stride ldb, y [M, N] stride ldy; M limited by the live extent.
// An invocation owns ROWS × 4 outputs and reads a and b four k at a time; no workgroup memory, no barrier.
// A workgroup of WX × WY invocations covers WY·ROWS rows and WX·4 columns. grid: x rows, y columns, so that
// neighbouring workgroups share their part of b, the larger operand as a rule.
// Assigns or accumulates: see the epilogue. Any M, N, K; rows outside y repeat the last row and store nothing.

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let rows = live_rows(p.extent, p.row0, p.m);
  let row = (group.x * WY + local.y) * 4u;
  let col = (group.y * WX + local.x) * 4u;
  if (row >= rows || col >= p.n) { return; }

  var a0 = p.a0 + row * p.lda;
  var a1 = p.a0 + min(row + 1u, rows - 1u) * p.lda;
  var a2 = p.a0 + min(row + 2u, rows - 1u) * p.lda;
  var a3 = p.a0 + min(row + 3u, rows - 1u) * p.lda;
  var b0 = p.b0 + col * p.ldb;
  var b1 = p.b0 + min(col + 1u, p.n - 1u) * p.ldb;
  var b2 = p.b0 + min(col + 2u, p.n - 1u) * p.ldb;
  var b3 = p.b0 + min(col + 3u, p.n - 1u) * p.ldb;

  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  for (var k = 0u; k < p.k; k += 4u) {
    let left = p.k - k;
    let b = mat4x4f(load_b(b0, left), load_b(b1, left), load_b(b2, left), load_b(b3, left));
    y0 += load_a(a0, left) * b;
    y1 += load_a(a1, left) * b;
    y2 += load_a(a2, left) * b;
    y3 += load_a(a3, left) * b;
    a0 += A_QUAD; a1 += A_QUAD; a2 += A_QUAD; a3 += A_QUAD;
    b0 += B_QUAD; b1 += B_QUAD; b2 += B_QUAD; b3 += B_QUAD;
  }

  finish(row, col, y0);
  if (row + 1u < rows) { finish(row + 1u, col, y1); }
  if (row + 2u < rows) { finish(row + 2u, col, y2); }
  if (row + 3u < rows) { finish(row + 3u, col, y3); }
}
