// RMS norm, gradient of the weight:  dw[c] = Σ_n dy[n,c] · x[n,c] · rstd[n]  over the live rows.
// dw [C], dy, x [N, C], rstd [N], all f32. Assigns dw where frame.accumulate is 0, else adds to it.
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
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read> rstd: array<f32>;

const COLUMNS = 32u;
const SLICES = 8u;
var<workgroup> partial: array<f32, COLUMNS * SLICES>;

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) me: u32) {
  let column = group.x * COLUMNS + local.x;
  let live = live_rows(p.extent, p.row0, p.rows);
  var sum = 0.0;
  if (column < p.width) {
    for (var row = local.y; row < live; row += SLICES) {
      let at = row * p.width + column;
      sum += dy[at] * x[at] * rstd[row];
    }
  }
  partial[me] = sum;
  workgroupBarrier();
  if (local.y != 0u || column >= p.width) { return; }
  var result = 0.0;
  for (var slice = 0u; slice < SLICES; slice++) { result += partial[slice * COLUMNS + local.x]; }
  if (frame.accumulate != 0u) { result += dw[column]; }
  dw[column] = result;
}
