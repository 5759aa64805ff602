// x[i] = value for i < 4 · steps. Does nothing where p.only_first is 1 and frame.accumulate is not 0: that is how a
// gradient is cleared before the first micro-batch of a step. x f32, written in whole vec4s: up to three elements of
// the buffer's padding are written too. One invocation a vec4; the grid folds into y.

struct Params {
  steps: u32,
  only_first: u32,
  value: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;

const SIZE = 256u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let i = (group.y * 65535u + group.x) * SIZE + me;
  if (i >= p.steps || (p.only_first != 0u && frame.accumulate != 0u)) { return; }
  x[i] = vec4f(p.value);
}
