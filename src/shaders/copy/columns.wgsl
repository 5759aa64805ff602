// What columns_put.wgsl and columns_take.wgsl share: calls move_element(i, at) for every element i of the part [rows, J] in the live rows,
// where `at` is the place of its column in the whole [rows, S].  at = r · S + index[j],  i = r · J + j
// index [J] u32, all different and below S. Elementwise: one invocation takes REPEAT elements, SIZE apart.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  columns: u32,  // J
  stride: u32,   // S
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(4) var<storage, read> index: array<u32>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.columns;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) { move_element(i, i / p.columns * p.stride + index[i % p.columns]); }
  }
}
