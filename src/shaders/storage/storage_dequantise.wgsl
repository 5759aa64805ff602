// y[i] = what code x[i] stands for: its group's scale times the code.
// y [n] f32; x [n] int8 or int4 in groups of 32. n % 64 == 0. x and load_x come from matmul/load_int8.wgsl or load_int4.wgsl.
// One invocation a quad; the grid folds into y. Assigns.

struct Params {
  steps: u32,  // quads
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

const SIZE = 256u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let i = (group.y * 65535u + group.x) * SIZE + me;
  if (i >= p.steps) { return; }
  y[i] = load_x(i, 4u);
}
