// y[m, n] = Σ_k a[k, m] · b[k, n], register tiles: dW of a linear layer (a is dY [tokens, out], b is X [tokens, in]).
//   a [K, M] stride lda · b [K, N] stride ldb · y [M, N] stride ldy; the live extent limits K (0 gives sums of 0).
// An invocation owns ROWS × 4 outputs and adds outer products, four k at a time; no workgroup memory, no barrier.
// A workgroup of WX × WY invocations covers WY·ROWS rows and WX·4 columns of y. Grid: x rows, y columns.
// Each sum runs over k in order in one invocation, so that a gradient has the same bits in every run.
// Assigns or accumulates: finish_at(). Any M, N, K. ROWS is 4 or 8.

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let terms = live_rows(p.extent, p.row0, p.k);
  let row = (group.x * WY + local.y) * ROWS;
  let col = (group.y * WX + local.x) * 4u;
  if (row >= p.m || col >= p.n) { return; }

  // The second quad of rows; past the edge of y it is the first one again, and its results are not stored.
  let next = select(row, row + 4u, row + 4u < p.m);
  let a_inside = p.m - row;
  let c_inside = p.m - next;
  let b_inside = p.n - col;
  let lda = p.lda;   // out of the loop: not every compiler moves uniform loads
  let ldb = p.ldb;

  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  var y4 = vec4f();
  var y5 = vec4f();
  var y6 = vec4f();
  var y7 = vec4f();

  var a_at = p.a0 + row / 4u * A_QUAD;
  var c_at = p.a0 + next / 4u * A_QUAD;
  var b_at = p.b0 + col / 4u * B_QUAD;
  for (var quads = terms / 4u; quads > 0u; quads--) {
    let b = mat4x4f(
      load_b(b_at, b_inside),
      load_b(b_at + ldb, b_inside),
      load_b(b_at + 2u * ldb, b_inside),
      load_b(b_at + 3u * ldb, b_inside),
    );
    let a = transpose(mat4x4f(
      load_a(a_at, a_inside),
      load_a(a_at + lda, a_inside),
      load_a(a_at + 2u * lda, a_inside),
      load_a(a_at + 3u * lda, a_inside),
    ));
    // b · a[i] = Σ over four k of b[k, col..] · a[k, row + i].
    y0 += b * a[0];
    y1 += b * a[1];
    y2 += b * a[2];
    y3 += b * a[3];
    if (ROWS == 8u) {
      let c = transpose(mat4x4f(
        load_a(c_at, c_inside),
        load_a(c_at + lda, c_inside),
        load_a(c_at + 2u * lda, c_inside),
        load_a(c_at + 3u * lda, c_inside),
      ));
      y4 += b * c[0];
      y5 += b * c[1];
      y6 += b * c[2];
      y7 += b * c[3];
    }
    a_at += 4u * lda;
    c_at += 4u * lda;
    b_at += 4u * ldb;
  }

  for (var rest = terms % 4u; rest > 0u; rest--) {
    let b = load_b(b_at, b_inside);
    let a = load_a(a_at, a_inside);
    y0 += a.x * b;
    y1 += a.y * b;
    y2 += a.z * b;
    y3 += a.w * b;
    if (ROWS == 8u) {
      let c = load_a(c_at, c_inside);
      y4 += c.x * b;
      y5 += c.y * b;
      y6 += c.z * b;
      y7 += c.w * b;
    }
    a_at += lda;
    c_at += lda;
    b_at += ldb;
  }

  finish(row, col, y0);
  if (row + 1u < p.m) { finish(row + 1u, col, y1); }
  if (row + 2u < p.m) { finish(row + 2u, col, y2); }
  if (row + 3u < p.m) { finish(row + 3u, col, y3); }
  if (ROWS == 8u) {
    if (row + 4u < p.m) { finish(row + 4u, col, y4); }
    if (row + 5u < p.m) { finish(row + 5u, col, y5); }
    if (row + 6u < p.m) { finish(row + 6u, col, y6); }
    if (row + 7u < p.m) { finish(row + 7u, col, y7); }
  }
}
