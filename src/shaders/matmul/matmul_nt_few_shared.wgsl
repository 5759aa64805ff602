// y[m, n] = Σ_k a[m, k] · b[n, k] for M ≤ 4 rows (generating text: reading b is all the work),
// for GPUs that want neighbours to read neighbouring addresses.
//   a [M, K] stride lda · b [N, K] stride ldb · y [M, N] stride ldy; the live extent limits M.
// LANES neighbouring invocations share a column n and read neighbouring quads of b[n, :]; their partial sums
// meet in workgroup memory after one barrier and are added in order of the lane. A workgroup covers COLUMNS
// columns and all rows; 2 KiB. Grid: x columns, y 1 (0 if no row is live).
// Assigns or accumulates: finish_at(). Any N, K. ROWS, the capacity M, is 1 to 4; y counts in single elements.

var<workgroup> partial: array<vec4f, LANES * COLUMNS>;

@compute @workgroup_size(LANES, COLUMNS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32) {
  let rows = live_rows(p.extent, p.row0, p.m);
  if (rows == 0u) { return; }
  let b_row = p.b0 + min(group.x * COLUMNS + local.y, p.n - 1u) * p.ldb;
  let a1 = min(1u, rows - 1u) * p.lda;
  let a2 = min(2u, rows - 1u) * p.lda;
  let a3 = min(3u, rows - 1u) * p.lda;

  var sum = vec4f();   // of one column, by row
  for (var k = local.x * 4u; k < p.k; k += LANES * 4u) {
    let left = p.k - k;
    let a_at = p.a0 + k / 4u * A_QUAD;
    let b = load_b(b_row + k / 4u * B_QUAD, left);
    sum.x += dot(load_a(a_at, left), b);
    if (ROWS > 1u) { sum.y += dot(load_a(a_at + a1, left), b); }
    if (ROWS > 2u) { sum.z += dot(load_a(a_at + a2, left), b); }
    if (ROWS > 3u) { sum.w += dot(load_a(a_at + a3, left), b); }
  }
  partial[index] = sum;
  workgroupBarrier();

  let col = group.x * COLUMNS + index;
  if (index >= COLUMNS || col >= p.n) { return; }
  var total = vec4f();
  for (var lane = 0u; lane < LANES; lane++) { total += partial[index * LANES + lane]; }
  finish_one(0u, col, total.x);
  if (ROWS > 1u && rows > 1u) { finish_one(1u, col, total.y); }
  if (ROWS > 2u && rows > 2u) { finish_one(2u, col, total.z); }
  if (ROWS > 3u && rows > 3u) { finish_one(3u, col, total.w); }
}
