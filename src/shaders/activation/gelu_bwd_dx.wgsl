// GELU, gradient of x.  dx[i] = dy[i] · (Φ(x[i]) + x[i] · Φ'(x[i]))  over the live rows; see gelu_maths.wgsl.
// dx, dy, x [N, C] f32. Assigns. Elementwise: one invocation takes REPEAT items of V, SIZE apart.
// Any C; V is vec4f where C % 4 == 0.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,  // items of V a row
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dx: array<V>;
@group(0) @binding(3) var<storage, read> dy: array<V>;
@group(0) @binding(4) var<storage, read> x: array<V>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.steps;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) { dx[i] = dy[i] * gelu(x[i]).slope; }
  }
}
