// GeGLU, gradients of gate and up:  d gate[n,f] = dh · up · gelu'(gate);  d up[n,f] = dh · gelu(gate)   (gelu_maths.wgsl)
// dgu, gu [N, 2F] (gate, then up), dh [N, F], f32. Assigns the live rows of dgu. Elementwise (elementwise.wgsl) over dh. Any F; V is vec4f
// where F % 4 == 0.

@group(0) @binding(2) var<storage, read_write> dgu: array<V>;
@group(0) @binding(3) var<storage, read> dh: array<V>;
@group(0) @binding(4) var<storage, read> gu: array<V>;

fn item(i: u32) {
  let at = i + (i / p.steps) * p.steps;  // row · 2F + f
  let gate = gu[at];
  let found = gelu(gate);
  dgu[at] = dh[i] * gu[at + p.steps] * found.slope;
  dgu[at + p.steps] = dh[i] * gate * found.cdf;
}
