// y[i] = the f32 that packed x[i] stands for, exactly: used when a layer joins training.
// y [n] f32, written as words, so that nothing is lost on the way; x [n] packed f16 or bf16, two per word. n % 4 == 0.
// One invocation a quad; the grid folds into y. x and widen_x come from lib/load_f16.wgsl or lib/load_bf16.wgsl. Assigns.

struct Params {
  steps: u32,  // quads
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<vec4u>;

const SIZE = 256u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let i = (group.y * 65535u + group.x) * SIZE + me;
  if (i >= p.steps) { return; }
  y[i] = widen_x(x[i]);
}
