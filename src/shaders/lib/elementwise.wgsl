// The frame of an elementwise kernel: calls item(i), which the kernel defines, for every item of V of the live rows.
// An invocation takes REPEAT items, SIZE apart, so that neighbours read neighbouring items.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,  // items of V in a row
}

@group(0) @binding(0) var<uniform> p: Params;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.steps;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) { item(i); }
  }
}
