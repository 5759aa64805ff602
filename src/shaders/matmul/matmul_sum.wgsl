// y[m, n] = Σ_part a[part, m, n], the parts of a product's sum (matmul_tiles.wgsl), in order.
//   a [k parts, M, N] stride lda · y [M, N] stride ldy; the live extent limits M.
// An invocation does REPEAT quads, SIZE apart. Assigns or accumulates: finish_at(). Any M, N.

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let quads = (p.n + 3u) / 4u;
  let end = live_rows(p.extent, p.row0, p.m) * quads;
  for (var i = 0u; i < REPEAT; i++) {
    let item = (group.x * REPEAT + i) * SIZE + me;
    if (item >= end) { return; }
    let row = item / quads;
    let col = item % quads * 4u;
    let at = row * p.lda + col / 4u * A_QUAD;
    var sum = load_a(at, p.n - col);
    for (var part = 1u; part < p.k; part++) { sum += load_a(at + part * p.part, p.n - col); }
    finish(row, col, sum);
  }
}
