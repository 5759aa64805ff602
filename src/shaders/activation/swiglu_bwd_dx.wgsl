// SwiGLU, gradients of gate and up. With σ = 1 / (1 + e^−gate):
//   d gate[n,f] = dh · up · σ · (1 + gate · (1 − σ));   d up[n,f] = dh · gate · σ
// dgu, gu [N, 2F] (gate, then up), dh [N, F], f32. Assigns the live rows of dgu. Elementwise over dh: one
// invocation takes REPEAT items of V, SIZE apart. Any F; V is vec4f where F % 4 == 0.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,  // items of V in F
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dgu: array<V>;
@group(0) @binding(3) var<storage, read> dh: array<V>;
@group(0) @binding(4) var<storage, read> gu: array<V>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.steps;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) {
      let at = i + (i / p.steps) * p.steps;  // row · 2F + f
      let gate = gu[at];
      let e = exp(clamp(-gate, V(-80.0), V(80.0)));
      let sigma = 1.0 / (1.0 + e);
      // 1 − σ = e σ, without the cancellation.
      dgu[at] = dh[i] * gu[at + p.steps] * sigma * (1.0 + gate * (e * sigma));
      dgu[at + p.steps] = dh[i] * gate * sigma;
    }
  }
}
