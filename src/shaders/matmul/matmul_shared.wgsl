// y[m, n] = Σ_k a·b for all three layouts, tiles in workgroup memory, for GPUs whose caches are slower than workgroup
// memory.
//   nt: a [M, K], b [N, K]   nn: a [M, K], b [K, N]   tn: a [K, M], b [K, N];  y [M, N]; strides lda, ldb, ldy.
//   The live extent limits M (nt, nn) or K (tn).
// A_BY_K, B_BY_K: 1 if the operand has one row per k in memory, 0 if k runs along its rows.
// A workgroup of 16 × 16 invocations owns a 64 × 64 tile of y, an invocation 4 × 4 of it. For every 16 k the
// workgroup copies 64 × 16 of a and of b, one quad an invocation. Grid: x rows, y columns.
// Assigns, accumulates or continues a sum: begin(), finish_at(). Any M, N, K: what lies outside an operand is 0 in the
// tile. 8 KiB.

const SIDE = 16u;     // invocations, quads of rows, quads of columns, and k of a tile
const TILE = 64u;     // rows and columns

// Quads, in an order that suits both copying and use: [k / 4][k % 4][row / 4], quads over rows, if BY_K;
// [k / 4][row % 4][row / 4], quads over k, if not. ("row" is a column of y for b.)
var<workgroup> tile_a: array<vec4f, SIDE * SIDE>;
var<workgroup> tile_b: array<vec4f, SIDE * SIDE>;

// The quad that invocation `index` copies: x = its first row or column within the tile, y = its first k.
fn copied(index: u32, by_k: u32) -> vec2u {
  if (by_k == 1u) { return vec2u(index % SIDE * 4u, index / SIDE); }
  return vec2u(index / 4u, index % 4u * 4u);
}

// Where it goes in the tile.
fn slot(index: u32, by_k: u32) -> u32 {
  if (by_k == 1u) { return index; }
  return (index % 4u) * TILE + (index / 4u % 4u) * SIDE + index / SIDE;
}

fn quad_a(row: u32, k: u32, rows: u32, terms: u32) -> vec4f {
  if (row >= rows || k >= terms) { return vec4f(); }
  if (A_BY_K == 1u) { return load_a(p.a0 + k * p.lda + row / 4u * A_QUAD, rows - row); }
  return load_a(p.a0 + row * p.lda + k / 4u * A_QUAD, terms - k);
}

fn quad_b(col: u32, k: u32, terms: u32) -> vec4f {
  if (col >= p.n || k >= terms) { return vec4f(); }
  if (B_BY_K == 1u) { return load_b(p.b0 + k * p.ldb + col / 4u * B_QUAD, p.n - col); }
  return load_b(p.b0 + col * p.ldb + k / 4u * B_QUAD, terms - k);
}

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32) {
  let live = live_rows(p.extent, p.row0, select(p.m, p.k, A_BY_K == 1u));
  let rows = select(live, p.m, A_BY_K == 1u);
  let terms = select(p.k, live, A_BY_K == 1u);
  let origin = group.xy * TILE;
  let from_a = copied(index, A_BY_K);
  let from_b = copied(index, B_BY_K);
  let to_a = slot(index, A_BY_K);
  let to_b = slot(index, B_BY_K);

  let row = origin.x + local.y * 4u;
  let col = origin.y + local.x * 4u;
  var sum = mat4x4f();   // column i is row i of this invocation's part of y
  if (ACCUMULATE == 3u && row < rows && col < p.n) {
    let last = rows - 1u;
    sum = mat4x4f(begin(row, col), begin(min(row + 1u, last), col), begin(min(row + 2u, last), col), begin(min(row + 3u, last), col));
  }
  for (var k0 = 0u; k0 < terms; k0 += SIDE) {
    tile_a[to_a] = quad_a(origin.x + from_a.x, k0 + from_a.y, rows, terms);
    tile_b[to_b] = quad_b(origin.y + from_b.x, k0 + from_b.y, terms);
    workgroupBarrier();
    for (var at = 0u; at < SIDE * SIDE; at += TILE) {
      let i = at + local.y;
      let j = at + local.x;
      var a = mat4x4f(tile_a[i], tile_a[i + SIDE], tile_a[i + 2u * SIDE], tile_a[i + 3u * SIDE]);
      var b = mat4x4f(tile_b[j], tile_b[j + SIDE], tile_b[j + 2u * SIDE], tile_b[j + 3u * SIDE]);
      if (A_BY_K == 1u) { a = transpose(a); }   // now a[row][k]
      if (B_BY_K == 0u) { b = transpose(b); }   // now b[k][col]
      sum += b * a;
    }
    workgroupBarrier();
  }

  if (col >= p.n) { return; }
  if (row < rows) { finish(row, col, sum[0]); }
  if (row + 1u < rows) { finish(row + 1u, col, sum[1]); }
  if (row + 2u < rows) { finish(row + 2u, col, sum[2]); }
  if (row + 3u < rows) { finish(row + 3u, col, sum[3]); }
}
