// Layer norm, gradient of x. With x̂ = (x − mean) · rstd and g = dy · w:
//   dx[n,c] = rstd[n] · (g[n,c] − Σ_j g[n,j] / C − x̂[n,c] · Σ_j g[n,j] x̂[n,j] / C)
// dx, dy, x [N, C], stats [N] pairs of mean and rstd, w [C], all f32. Assigns dx, or adds to it in place where p.accumulate
// is 1. Live rows only. One workgroup a row, one barrier. Any C; V is vec4f where C % 4 == 0.

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
@group(0) @binding(5) var<storage, read> stats: array<vec2f>;
@group(0) @binding(6) var<storage, read> w: array<V>;

const SIZE = 32u;
var<workgroup> partial: array<vec2f, SIZE>;  // Σ g and Σ g · x̂

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= live_rows(p.extent, p.row0, p.rows)) { return; }
  let steps = p.width / LANES;
  let base = row * steps;
  let centre = V(stats[row].x);
  let scale = stats[row].y;
  var sums = V(0.0);
  var products = V(0.0);
  for (var c = me; c < steps; c += SIZE) {
    let g = dy[base + c] * w[c];
    sums += g;
    products += g * ((x[base + c] - centre) * scale);
  }
  partial[me] = vec2f(total(sums), total(products));
  workgroupBarrier();
  var sum = vec2f(0.0);
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  let average = sum / f32(p.width);
  for (var c = me; c < steps; c += SIZE) {
    let normed = (x[base + c] - centre) * scale;
    var value = scale * (dy[base + c] * w[c] - V(average.x) - normed * average.y);
    if (p.accumulate != 0u) { value += dx[base + c]; }
    dx[base + c] = value;
  }
}
