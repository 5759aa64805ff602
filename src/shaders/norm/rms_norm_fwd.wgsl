// RMS norm.  rstd[n] = 1 / sqrt(Σ_c x[n,c]² / C + eps);  y[n,c] = x[n,c] · rstd[n] · (OFFSET + w[c]) (+ residual[n,c])
// y, x [N, C], rstd [N], w [C], all f32. Assigns y and rstd of the live rows, leaves the others alone.
// One workgroup a row: each invocation sums its columns, one barrier, then all add the partial sums in the
// same order. Any C; V is vec4f where C % 4 == 0. join comes from rms_norm_residual.wgsl, or passes its value on.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  width: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(4) var<storage, read> x: array<V>;
@group(0) @binding(5) var<storage, read> w: array<V>;

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
  var squares = V(0.0);
  for (var c = me; c < steps; c += SIZE) {
    let value = x[base + c];
    squares += value * value;
  }
  partial[me] = total(squares);
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  let scale = 1.0 / sqrt(sum / f32(p.width) + p.eps);
  if (me == 0u) { rstd[row] = scale; }
  for (var c = me; c < steps; c += SIZE) { y[base + c] = join(x[base + c] * scale * gain(c), base + c); }
}
