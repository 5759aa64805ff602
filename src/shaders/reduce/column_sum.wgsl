// Sum over rows, the gradient of a bias:  db[c] = Σ_n dy[n, y0 + c]  over the live rows.
// db [C], dy [N, ld] f32. Assigns db where frame.accumulate is 0, else adds to it.
// A workgroup owns COLUMNS columns; invocation (column, slice) sums every SLICES-th row, so that neighbours
// read neighbouring columns; one barrier, then slice 0 adds the slices in order. Any C.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  width: u32,
  ld: u32,
  y0: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> db: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;

const COLUMNS = 32u;
const SLICES = 8u;
var<workgroup> partial: array<f32, COLUMNS * SLICES>;

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) me: u32) {
  let column = group.x * COLUMNS + local.x;
  let live = live_rows(p.extent, p.row0, p.rows);
  var sum = 0.0;
  if (column < p.width) {
    for (var row = local.y; row < live; row += SLICES) { sum += dy[row * p.ld + p.y0 + column]; }
  }
  partial[me] = sum;
  workgroupBarrier();
  if (local.y != 0u || column >= p.width) { return; }
  var result = 0.0;
  for (var slice = 0u; slice < SLICES; slice++) { result += partial[slice * COLUMNS + local.x]; }
  if (frame.accumulate != 0u) { result += db[column]; }
  db[column] = result;
}
