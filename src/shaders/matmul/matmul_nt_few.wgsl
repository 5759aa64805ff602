// y[m, n] = Σ_k a[m, k] · b[n, k] for M ≤ 4 rows (generating text: reading b is all the work), without a barrier.
//   a [M, K] stride lda · b [N, K] stride ldb · y [M, N] stride ldy; the live extent limits M.
// An invocation owns one column, all rows; it reads its row of b once, front to back, four k at a time. A
// workgroup covers COLUMNS columns. Grid: x columns, y 1 (0 if no row is live).
// Assigns or accumulates: finish_at(). Any N, K. ROWS, the capacity M, is 1 to 4; y counts in single elements.

@compute @workgroup_size(COLUMNS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let rows = live_rows(p.extent, p.row0, p.m);
  let col = id.x;
  if (rows == 0u || col >= p.n) { return; }
  let a1 = min(1u, rows - 1u) * p.lda;
  let a2 = min(2u, rows - 1u) * p.lda;
  let a3 = min(3u, rows - 1u) * p.lda;

  var sum = vec4f();   // by row
  var a_at = p.a0;
  var b_at = p.b0 + col * p.ldb;
  for (var k = 0u; k < p.k; k += 4u) {
    let left = p.k - k;
    let b = load_b(b_at, left);
    sum.x += dot(load_a(a_at, left), b);
    if (ROWS > 1u) { sum.y += dot(load_a(a_at + a1, left), b); }
    if (ROWS > 2u) { sum.z += dot(load_a(a_at + a2, left), b); }
    if (ROWS > 3u) { sum.w += dot(load_a(a_at + a3, left), b); }
    a_at += A_QUAD;
    b_at += B_QUAD;
  }

  finish_one(0u, col, sum.x);
  if (ROWS > 1u && rows > 1u) { finish_one(1u, col, sum.y); }
  if (ROWS > 2u && rows > 2u) { finish_one(2u, col, sum.z); }
  if (ROWS > 3u && rows > 3u) { finish_one(3u, col, sum.w); }
}
