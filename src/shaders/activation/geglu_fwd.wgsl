// GeGLU.  h[n,f] = gelu(gate[n,f]) · up[n,f],  gate = gu[n, 0…F), up = gu[n, F…2F);  gelu by its tanh form (gelu_maths.wgsl)
// h [N, F], gu [N, 2F], f32. Assigns the live rows. Elementwise (elementwise.wgsl) over h. Any F; V is vec4f where F % 4 == 0.

@group(0) @binding(2) var<storage, read_write> h: array<V>;
@group(0) @binding(3) var<storage, read> gu: array<V>;

fn item(i: u32) {
  let at = i + (i / p.steps) * p.steps;  // row · 2F + f
  let gate = gu[at];
  h[i] = gate * gelu(gate).cdf * gu[at + p.steps];
}
