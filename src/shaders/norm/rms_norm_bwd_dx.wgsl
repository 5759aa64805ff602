// RMS norm, gradient of x. With x̂ = x · rstd and g = dy · (OFFSET + w):
//   dx[n,c] = rstd[n] · (g[n,c] − x̂[n,c] · Σ_j g[n,j] x̂[n,j] / C)
// dx, dy, x [N, C], rstd [N], w [C], all f32. Assigns dx, or adds to it in place where p.accumulate is 1.
// Live rows only. One workgroup a row, one barrier. Any C; V is vec4f where C % 4 == 0.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  width: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dx: array<V>;
@group(0) @binding(3) var<storage, read> dy: array<V>;
@group(0) @binding(4) var<storage, read> x: array<V>;
@group(0) @binding(5) var<storage, read> rstd: array<f32>;
@group(0) @binding(6) var<storage, read> w: array<V>;

fn gain(c: u32) -> V {
  if (OFFSET == 1u) { return 1.0 + w[c]; }
  return w[c];
}

const SIZE = 32u;
var<workgroup> partial: array<f32, SIZE>;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= live_rows(p.extent, p.row0, p.rows)) { return; }
  let steps = p.width / LANES;
  let base = row * steps;
  let scale = rstd[row];
  var products = V(0.0);
  for (var c = me; c < steps; c += SIZE) { products += dy[base + c] * gain(c) * x[base + c]; }
  partial[me] = total(products);
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  // One rstd belongs to x̂ inside the mean, the other to x̂ outside it.
  let along = sum / f32(p.width) * scale * scale;
  for (var c = me; c < steps; c += SIZE) {
    var value = scale * (dy[base + c] * gain(c) - x[base + c] * along);
    if (p.accumulate != 0u) { value += dx[base + c]; }
    dx[base + c] = value;
  }
}
