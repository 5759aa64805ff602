// Layer norm, gradients of weight and bias over the live rows:
//   dw[c] = Σ_n dy[n,c] · (x[n,c] − mean[n]) · rstd[n];  db[c] = Σ_n dy[n,c]
// dw, db [C], dy, x [N, C], stats [N] pairs of mean and rstd, all f32. Assigns where frame.accumulate is 0, else adds.
// A workgroup owns COLUMNS columns; invocation (column, slice) sums every SLICES-th row, so that neighbours
// read neighbouring columns; one barrier, then slice 0 adds the slices in order. Any C.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<storage, read_write> db: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read> x: array<f32>;
@group(0) @binding(6) var<storage, read> stats: array<vec2f>;

const COLUMNS = 32u;
const SLICES = 8u;
var<workgroup> partial: array<vec2f, COLUMNS * SLICES>;  // dw, db

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) me: u32) {
  let column = group.x * COLUMNS + local.x;
  let live = live_rows(p.extent, p.row0, p.rows);
  var sum = vec2f(0.0);
  if (column < p.width) {
    for (var row = local.y; row < live; row += SLICES) {
      let at = row * p.width + column;
      sum += dy[at] * vec2f((x[at] - stats[row].x) * stats[row].y, 1.0);
    }
  }
  partial[me] = sum;
  workgroupBarrier();
  if (local.y != 0u || column >= p.width) { return; }
  var result = vec2f(0.0);
  for (var slice = 0u; slice < SLICES; slice++) { result += partial[slice * COLUMNS + local.x]; }
  if (frame.accumulate != 0u) { result += vec2f(dw[column], db[column]); }
  dw[column] = result.x;
  db[column] = result.y;
}
