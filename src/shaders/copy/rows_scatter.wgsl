// Scatter of rows, written from the receiving side so that every live row is assigned and none twice:
//   y[n,c] = x[inverse[row0 + n], c], or 0 where inverse[row0 + n] is 0xffffffff
// y [N, C], x [M, C] f32, inverse u32. Assigns the live rows of y. Elementwise over y: one invocation takes
// REPEAT items of V, SIZE apart. Any C; V is vec4f where C % 4 == 0.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,  // items of V a row
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read> x: array<V>;
@group(0) @binding(4) var<storage, read> inverse: array<u32>;

const SIZE = 64u;
const NO_ROW = 0xffffffffu;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.steps;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) {
      let from_row = inverse[p.row0 + i / p.steps];
      var value = V(0.0);
      if (from_row != NO_ROW) { value = x[from_row * p.steps + i % p.steps]; }
      y[i] = value;
    }
  }
}
