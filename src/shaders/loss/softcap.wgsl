// Soft cap of logits, in place:  x[r,v] ← cap · tanh(x[r,v] / cap), so that none is larger than cap (Gemma 2, arXiv 2408.00118).
// x [N, V] f32. Live rows only; one workgroup a row. Any V; the type V is vec4f where rows are whole vec4s. tanh is computed here, because
// WGSL's may be off by 1e-5: by its power series for small arguments, by e^2u for others. Values that are not finite stay as they are, so
// that the loss sees them.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,   // of V in a row
  cap: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> x: array<V>;

const SIZE = 64u;

fn tanh_of(u: V) -> V {
  let s = u * u;
  let small = u * (1.0 + s * (-0.3333333333 + s * (0.1333333333 + s * (-0.05396825397 + s * (0.02186948854 - s * 0.008863235530)))));
  let e = exp(2.0 * clamp(u, V(-20.0), V(20.0)));
  return select(1.0 - 2.0 / (e + 1.0), small, abs(u) < V(0.4));
}

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= live_rows(p.extent, p.row0, p.rows)) { return; }
  for (var c = me; c < p.steps; c += SIZE) {
    let value = x[row * p.steps + c];
    if (!any_not_finite(value)) { x[row * p.steps + c] = p.cap * tanh_of(value / p.cap); }
  }
}
