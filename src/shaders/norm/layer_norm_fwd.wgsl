// Layer norm.  mean[n] = Σ_c x[n,c] / C;  rstd[n] = 1 / sqrt(Σ_c (x[n,c] − mean[n])² / C + eps);
//   y[n,c] = (x[n,c] − mean[n]) · rstd[n] · w[c] + b[c]
// y, x [N, C], stats [N] pairs of mean and rstd, w, b [C], all f32. Assigns y and stats of the live rows.
// One workgroup a row. Each invocation finds mean and squared deviations of its own columns, one barrier,
// then all merge these in the same order (Chan, Golub & LeVeque 1983): this has two-pass accuracy with one barrier,
// whereas Σx² − (Σx)²/C would cancel on rows with a large mean. Any C; V is vec4f where C % 4 == 0.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  width: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read> x: array<V>;
@group(0) @binding(5) var<storage, read> w: array<V>;
@group(0) @binding(6) var<storage, read> b: array<V>;

const SIZE = 32u;
var<workgroup> partial: array<vec2f, SIZE>;  // sum, and squared deviations from its mean

// Columns that invocation i owns.
fn owned(i: u32, steps: u32) -> f32 { return f32(select(0u, (steps - i + SIZE - 1u) / SIZE, i < steps) * LANES); }

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= live_rows(p.extent, p.row0, p.rows)) { return; }
  let steps = p.width / LANES;
  let base = row * steps;
  var sums = V(0.0);
  for (var c = me; c < steps; c += SIZE) { sums += x[base + c]; }
  let own_sum = total(sums);
  let own_mean = own_sum / max(owned(me, steps), 1.0);
  var squares = V(0.0);
  for (var c = me; c < steps; c += SIZE) {
    let off = x[base + c] - V(own_mean);
    squares += off * off;
  }
  partial[me] = vec2f(own_sum, total(squares));
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i].x; }
  let centre = sum / f32(p.width);
  var deviation = 0.0;
  for (var i = 0u; i < SIZE; i++) {
    let count = owned(i, steps);
    let off = partial[i].x / max(count, 1.0) - centre;
    deviation += partial[i].y + count * off * off;
  }
  let scale = 1.0 / sqrt(deviation / f32(p.width) + p.eps);
  if (me == 0u) { stats[row] = vec2f(centre, scale); }
  for (var c = me; c < steps; c += SIZE) { y[base + c] = (x[base + c] - V(centre)) * scale * w[c] + b[c]; }
}
