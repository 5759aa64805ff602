// y[i] = x[i], bit for bit: copies weights that are stored as f32 to the master of their layer, and back.
// y, x [n] f32, as words, in whole quads: up to three elements of y's padding are written too.
// One invocation a quad; the grid folds into y. Assigns.

struct Params {
  steps: u32,  // quads
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<vec4u>;
@group(0) @binding(3) var<storage, read> x: array<vec4u>;

const SIZE = 256u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let i = (group.y * 65535u + group.x) * SIZE + me;
  if (i >= p.steps) { return; }
  y[i] = x[i];
}
