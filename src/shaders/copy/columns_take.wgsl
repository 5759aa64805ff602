// Some columns of a matrix go into one of their own and leave zeros.  y[r, j] = x[r, index[j]];  x[r, index[j]] = 0
// x [rows, S], y [rows, J] f32, index [J] u32, all different and below S. Assigns y and those columns of x, in the live rows.
// Elementwise over y: one invocation takes REPEAT elements, SIZE apart.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  columns: u32,  // J
  stride: u32,   // S
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read> index: array<u32>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.columns;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) {
      let at = i / p.columns * p.stride + index[i % p.columns];
      y[i] = x[at];
      x[at] = 0.0;
    }
  }
}
