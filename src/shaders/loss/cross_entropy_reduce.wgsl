// Loss of the micro-batch:  stats.loss = Σ_m losses[m] · frame.loss_scale  over the live rows.
// losses [M] f32, stats f32[8]. Assigns stats.loss where frame.accumulate is 0, else adds to it; leaves the
// other stats alone. One workgroup: each invocation sums every SIZE-th loss, one barrier, then one of them
// adds the partial sums in order. Any M.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;
@group(0) @binding(3) var<storage, read> losses: array<f32>;

const SIZE = 128u;
const STATS_LOSS = 0u;
var<workgroup> partial: array<f32, SIZE>;

@compute @workgroup_size(SIZE)
fn main(@builtin(local_invocation_index) me: u32) {
  let live = live_rows(p.extent, p.row0, p.rows);
  var own = 0.0;
  for (var m = me; m < live; m += SIZE) { own += losses[p.row0 + m]; }
  partial[me] = own;
  workgroupBarrier();
  if (me != 0u) { return; }
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  sum *= frame.loss_scale;
  if (frame.accumulate != 0u) { sum += stats[STATS_LOSS]; }
  stats[STATS_LOSS] = sum;
}
