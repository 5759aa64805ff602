// SwiGLU.  h[n,f] = silu(gate[n,f]) · up[n,f],  silu(g) = g / (1 + e^−g),  gate = gu[n, 0…F), up = gu[n, F…2F)
// h [N, F], gu [N, 2F], f32. Assigns the live rows. Elementwise over h: one invocation takes REPEAT items of
// V, SIZE apart. Any F; V is vec4f where F % 4 == 0. The exponent is clamped: WGSL promises no infinities.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,  // items of V in F
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> h: array<V>;
@group(0) @binding(3) var<storage, read> gu: array<V>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.steps;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) {
      let at = i + (i / p.steps) * p.steps;  // row · 2F + f
      let gate = gu[at];
      let sigma = 1.0 / (1.0 + exp(clamp(-gate, V(-80.0), V(80.0))));
      h[i] = gate * sigma * gu[at + p.steps];
    }
  }
}
