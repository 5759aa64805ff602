// y[m, n] = Σ_k a·b for all three layouts, tiles in workgroup memory: the matrix products of graphics cards.
//   nt: a [M, K], b [N, K]   nn: a [M, K], b [K, N]   tn: a [K, M], b [K, N];  y [M, N]; strides lda, ldb, ldy.
//   The live extent limits M (nt, nn) or K (tn).
// A_BY_K, B_BY_K: 1 if the operand has one row per k in memory, 0 if k runs along its rows.
// PARTS: 1 if the sum is cut into parts of `span` terms, one for each workgroup in z, which lie one after another for matmul_sum.wgsl.
// A workgroup owns BM × BN of y, an invocation ROWS × 4 of it (ROWS is 8 or 4). For every 16 k the workgroup copies BM × 16 of a and BN × 16
// of b, widened to f32; then each invocation does ROWS × 4 × 16 multiply-adds out of two rows of the tiles. Grid: x rows, y columns.
// NORMS: 1 if a is the RMS norm of what lies there (norm_rms.wgsl): terms are multiplied by the norm's weight while they are copied, and
// the finished sums by 1 / root mean square of the row, whose squares are added on the way. 2 if a is the layer norm of what lies there
// (norm_layer.wgsl): the workgroup walks over its rows once before the product for mean and deviation, each invocation over every fourth quad
// of its two rows, and merges them as layer_norm_fwd.wgsl does. For nt and nn; 4 divides K.
// SUMS_ROWS: 1 if the epilogue has a number of each row that is to be added over the columns of the workgroup (row_sums.wgsl).
// Assigns, accumulates or continues a sum: begin(), emit(); an epilogue may take their place (epilogue.ts). Every sum is one chain of fma
// over k in order. Any M, N, K: terms past the last are 0 in the tile; a row or column past the edge of y is the last one again and is not
// stored. (BM + BN + 8) · 64 bytes, 13 KiB at most.
// Tiles are arrays of arrays, indexed by constants and by ids of known range: a browser then proves the indices and leaves out its checks.
// Elements are stored one by one and as whole floats, because WGSL lets a write of one component of a vec4 touch the other three.

const BK = 16u;
const QUADS = BK / 4u;           // quads of k in a tile
const TX = BN / 4u;
const TY = BM / ROWS;
const THREADS = TX * TY;
const A_WHOLE = select(1u, 4u, A_BY_K == 1u);   // rows that are copied together
const B_WHOLE = select(1u, 4u, B_BY_K == 1u);
const PAD = 4u;                  // keeps quads aligned, and neighbours in k off each other's banks

var<workgroup> tile_a: array<array<f32, BM + PAD>, BK>;
var<workgroup> tile_b: array<array<f32, BN + PAD>, BK>;

// HALF: 0; or, of nt, an epilogue needs columns c and c + HALF of every 2 · HALF at once. Then of four neighbours in the tile, the last two
// are those that lie HALF after the first two. HALF is even, and 2 · HALF divides N. A place is where a column would be without that.
fn column(place: u32) -> u32 {
  if (HALF == 0u) { return place; }
  let pair = place / 4u * 2u + place % 2u;
  return pair / max(HALF, 1u) * 2u * HALF + pair % max(HALF, 1u) + place % 4u / 2u * HALF;
}

// Mean and 1 / deviation of a row from what four invocations left in tile_a: sums, and squared deviations from their own means.
fn merged(x: u32) -> vec2f {
  let mean = ((tile_a[0][x] + tile_a[1][x]) + (tile_a[2][x] + tile_a[3][x])) / f32(p.k);
  var deviation = 0.0;
  for (var i = 0u; i < QUADS; i++) {
    let own = f32(select(0u, (p.k / 4u - i + QUADS - 1u) / QUADS * 4u, i < p.k / 4u));
    let off = tile_a[i][x] / max(own, 1.0) - mean;
    deviation += tile_a[QUADS + i][x] + own * off * off;
  }
  return vec2f(mean, norm_scale(deviation / f32(p.k)));
}

@compute @workgroup_size(TX, TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u, @builtin(local_invocation_index) me: u32) {
  let live = live_rows(p.extent, p.row0, select(p.m, p.k, A_BY_K == 1u));
  let rows = select(live, p.m, A_BY_K == 1u);
  let part = p.part0 + group.z;
  let first = part * p.span;   // 0 if there is one part
  let terms = min(select(p.k, live, A_BY_K == 1u), first + p.span);
  let m0 = group.x * BM;
  let n0 = p.col0 + group.y * BN;
  if (m0 >= rows) { return; }
  let last_row = rows - 1u;
  let last_col = p.n - 1u;

  // The quads that this invocation copies: two of a, one or two of b. (x, k): row or column and k, within the tile.
  let a_x0 = select(me / QUADS, me % (BM / 4u) * 4u, A_BY_K == 1u);
  let a_k0 = select(me % QUADS * 4u, me / (BM / 4u), A_BY_K == 1u);
  let a_x1 = select((me + THREADS) / QUADS, (me + THREADS) % (BM / 4u) * 4u, A_BY_K == 1u);
  let a_k1 = select((me + THREADS) % QUADS * 4u, (me + THREADS) / (BM / 4u), A_BY_K == 1u);
  let b_x0 = select(me / QUADS, me % (BN / 4u) * 4u, B_BY_K == 1u);
  let b_k0 = select(me % QUADS * 4u, me / (BN / 4u), B_BY_K == 1u);
  let b_x1 = select((me + THREADS) / QUADS, (me + THREADS) % (BN / 4u) * 4u, B_BY_K == 1u);
  let b_k1 = select((me + THREADS) % QUADS * 4u, (me + THREADS) / (BN / 4u), B_BY_K == 1u);

  // Where they are: address of the first, and how far the next tile's is.
  let a_first = p.a0 + select(first / 4u * A_QUAD, first * p.lda, A_BY_K == 1u);
  let b_first = p.b0 + select(first / 4u * B_QUAD, first * p.ldb, B_BY_K == 1u);
  let a_r0 = min(m0 + a_x0, last_row / A_WHOLE * A_WHOLE);
  let a_r1 = min(m0 + a_x1, last_row / A_WHOLE * A_WHOLE);
  let b_r0 = column(min(n0 + b_x0, last_col / B_WHOLE * B_WHOLE));
  let b_r1 = column(min(n0 + b_x1, last_col / B_WHOLE * B_WHOLE));
  var a_at0 = a_first + select(a_r0 * p.lda + a_k0 / 4u * A_QUAD, a_k0 * p.lda + a_r0 / 4u * A_QUAD, A_BY_K == 1u);
  var a_at1 = a_first + select(a_r1 * p.lda + a_k1 / 4u * A_QUAD, a_k1 * p.lda + a_r1 / 4u * A_QUAD, A_BY_K == 1u);
  var b_at0 = b_first + select(b_r0 * p.ldb + b_k0 / 4u * B_QUAD, b_k0 * p.ldb + b_r0 / 4u * B_QUAD, B_BY_K == 1u);
  var b_at1 = b_first + select(b_r1 * p.ldb + b_k1 / 4u * B_QUAD, b_k1 * p.ldb + b_r1 / 4u * B_QUAD, B_BY_K == 1u);
  let a_step = select(QUADS * A_QUAD, BK * p.lda, A_BY_K == 1u);
  let b_step = select(QUADS * B_QUAD, BK * p.ldb, B_BY_K == 1u);

  let row = m0 + id.y * ROWS;
  let col = n0 + id.x * 4u;
  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  var y4 = vec4f();
  var y5 = vec4f();
  var y6 = vec4f();
  var y7 = vec4f();
  if (ACCUMULATE == 3u && row < rows && col < p.n) {
    y0 = begin(row, col);
    y1 = begin(min(row + 1u, last_row), col);
    y2 = begin(min(row + 2u, last_row), col);
    y3 = begin(min(row + 3u, last_row), col);
    y4 = begin(min(row + 4u, last_row), col);
    y5 = begin(min(row + 5u, last_row), col);
    y6 = begin(min(row + 6u, last_row), col);
    y7 = begin(min(row + 7u, last_row), col);
  }

  // Of the two rows that this invocation copies from: (mean, 1 / deviation).
  var of_row0 = vec2f(0.0, 1.0);
  var of_row1 = of_row0;
  if (NORMS == 2u) {
    let own = f32(select(0u, (p.k / 4u - me % QUADS + QUADS - 1u) / QUADS * 4u, me % QUADS < p.k / 4u));
    var sums0 = vec4f();
    var sums1 = vec4f();
    for (var k = a_k0; k < p.k; k += BK) {
      sums0 += load_a(a_at0 + (k - a_k0) / 4u * A_QUAD, 4u);
      sums1 += load_a(a_at1 + (k - a_k0) / 4u * A_QUAD, 4u);
    }
    let sum0 = dot(sums0, vec4f(1.0));
    let sum1 = dot(sums1, vec4f(1.0));
    var off0 = vec4f();
    var off1 = vec4f();
    for (var k = a_k0; k < p.k; k += BK) {
      let v0 = load_a(a_at0 + (k - a_k0) / 4u * A_QUAD, 4u) - sum0 / max(own, 1.0);
      let v1 = load_a(a_at1 + (k - a_k0) / 4u * A_QUAD, 4u) - sum1 / max(own, 1.0);
      off0 += v0 * v0;
      off1 += v1 * v1;
    }
    tile_a[me % QUADS][me / QUADS] = sum0;
    tile_a[me % QUADS][(me + THREADS) / QUADS] = sum1;
    tile_a[QUADS + me % QUADS][me / QUADS] = dot(off0, vec4f(1.0));
    tile_a[QUADS + me % QUADS][(me + THREADS) / QUADS] = dot(off1, vec4f(1.0));
    workgroupBarrier();
    of_row0 = merged(me / QUADS);
    of_row1 = merged((me + THREADS) / QUADS);
    workgroupBarrier();
    if (n0 == 0u && me % QUADS == 0u) {
      if (m0 + a_x0 < rows) { store_stats(m0 + a_x0, of_row0); }
      if (m0 + a_x1 < rows) { store_stats(m0 + a_x1, of_row1); }
    }
  }

  var squares = vec2f();
  for (var k0 = first; k0 < terms; k0 += BK) {
    let left = terms - k0;   // terms from k0 on
    var v = vec4f();
    if (a_k0 < left) {
      v = load_a(a_at0, select(left - a_k0, rows - a_r0, A_BY_K == 1u));
      if (NORMS == 1u) {
        squares.x += dot(v, v);
        v *= load_gain(k0 + a_k0);
      }
      if (NORMS == 2u) { v = fma((v - of_row0.x) * of_row0.y, load_gain(k0 + a_k0), load_shift(k0 + a_k0)); }
    }
    if (A_BY_K == 1u) {
      //#repeat E xyzw
      tile_a[me / (BM / 4u)][me % (BM / 4u) * 4u + E_AT] = v.E;
      //#end
    } else {
      //#repeat E xyzw
      tile_a[me % QUADS * 4u + E_AT][me / QUADS] = v.E;
      //#end
    }
    v = vec4f();
    if (a_k1 < left) {
      v = load_a(a_at1, select(left - a_k1, rows - a_r1, A_BY_K == 1u));
      if (NORMS == 1u) {
        squares.y += dot(v, v);
        v *= load_gain(k0 + a_k1);
      }
      if (NORMS == 2u) { v = fma((v - of_row1.x) * of_row1.y, load_gain(k0 + a_k1), load_shift(k0 + a_k1)); }
    }
    if (A_BY_K == 1u) {
      //#repeat E xyzw
      tile_a[(me + THREADS) / (BM / 4u)][(me + THREADS) % (BM / 4u) * 4u + E_AT] = v.E;
      //#end
    } else {
      //#repeat E xyzw
      tile_a[(me + THREADS) % QUADS * 4u + E_AT][(me + THREADS) / QUADS] = v.E;
      //#end
    }
    v = vec4f();
    if (b_k0 < left) { v = load_b(b_at0, select(left - b_k0, p.n - b_r0, B_BY_K == 1u)); }
    if (B_BY_K == 1u) {
      //#repeat E xyzw
      tile_b[me / (BN / 4u)][me % (BN / 4u) * 4u + E_AT] = v.E;
      //#end
    } else {
      //#repeat E xyzw
      tile_b[me % QUADS * 4u + E_AT][me / QUADS] = v.E;
      //#end
    }
    if (BN * QUADS > THREADS) {
      v = vec4f();
      if (b_k1 < left) { v = load_b(b_at1, select(left - b_k1, p.n - b_r1, B_BY_K == 1u)); }
      if (B_BY_K == 1u) {
        //#repeat E xyzw
        tile_b[min((me + THREADS) / (BN / 4u), BK - 1u)][(me + THREADS) % (BN / 4u) * 4u + E_AT] = v.E;
        //#end
      } else {
        //#repeat E xyzw
        tile_b[(me + THREADS) % QUADS * 4u + E_AT][min((me + THREADS) / QUADS, BN - 1u)] = v.E;
        //#end
      }
    }
    a_at0 += a_step;
    a_at1 += a_step;
    b_at0 += b_step;
    b_at1 += b_step;
    workgroupBarrier();
    //#repeat K 16
    {
      let b = vec4f(tile_b[K][id.x * 4u], tile_b[K][id.x * 4u + 1u], tile_b[K][id.x * 4u + 2u], tile_b[K][id.x * 4u + 3u]);
      y0 = fma(vec4f(tile_a[K][id.y * ROWS]), b, y0);
      y1 = fma(vec4f(tile_a[K][id.y * ROWS + 1u]), b, y1);
      y2 = fma(vec4f(tile_a[K][id.y * ROWS + 2u]), b, y2);
      y3 = fma(vec4f(tile_a[K][id.y * ROWS + 3u]), b, y3);
      if (ROWS == 8u) {
        y4 = fma(vec4f(tile_a[K][id.y * ROWS + 4u]), b, y4);
        y5 = fma(vec4f(tile_a[K][id.y * ROWS + 5u]), b, y5);
        y6 = fma(vec4f(tile_a[K][id.y * ROWS + 6u]), b, y6);
        y7 = fma(vec4f(tile_a[K][id.y * ROWS + 7u]), b, y7);
      }
    }
    //#end
    workgroupBarrier();
  }

  if (NORMS == 1u) {
    // Four invocations have the squares of a row, in order of k.
    tile_a[me % QUADS][me / QUADS] = squares.x;
    tile_a[me % QUADS][(me + THREADS) / QUADS] = squares.y;
    workgroupBarrier();
    //#repeat R ROWS
    {
      let of_row = (tile_a[0][id.y * ROWS + R] + tile_a[1][id.y * ROWS + R]) + (tile_a[2][id.y * ROWS + R] + tile_a[3][id.y * ROWS + R]);
      let scale = norm_scale(of_row / f32(p.k));
      if (col == 0u && row + R < rows) { store_scale(row + R, scale); }
      yR *= scale;
    }
    //#end
  }
  if (SUMS_ROWS == 1u) {
    workgroupBarrier();
    //#repeat R ROWS
    {
      var sum = 0.0;
      if (row + R < rows && col < p.n) {
        emit(row + R, col, part, yR);
        sum = row_sum();
      }
      tile_a[id.x][id.y * ROWS + R] = sum;
    }
    //#end
    workgroupBarrier();
    for (var x = me; x < BM; x += THREADS) {
      var sum = 0.0;
      for (var i = 0u; i < TX; i++) { sum += tile_a[i][x]; }
      if (m0 + x < rows) { store_row_sum(m0 + x, n0 / BN, sum); }
    }
    return;
  }
  if (col >= p.n) { return; }
  //#repeat R ROWS
  if (row + R < rows) { emit(row + R, col, part, yR); }
  //#end
}
