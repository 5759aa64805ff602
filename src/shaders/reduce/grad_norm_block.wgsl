// Norm of one block's gradients, its own clip factor and bad flag, from its partial sums of squares:
//   norm = √Σ partials[i];  clip = max_norm == 0 ? 1 : min(1, max_norm / (norm + 1e-6))
// The block's bad flag is 1 where norm or the step's loss is not finite or the step is bad already; clip is 0 then.
// partials [count] f32, block and stats f32[8]. Assigns block.norm, block.clip, block.bad. One workgroup: each invocation sums
// every SIZE-th partial, one barrier, then one adds them in order.

struct Params {
  count: u32,
  max_norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> block: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> partials: array<f32>;

const SIZE = 128u;
const STATS_LOSS = 0u;
const STATS_NORM = 1u;
const STATS_CLIP = 2u;
const STATS_BAD = 3u;
var<workgroup> partial: array<f32, SIZE>;

@compute @workgroup_size(SIZE)
fn main(@builtin(local_invocation_index) me: u32) {
  var own = 0.0;
  for (var i = me; i < p.count; i += SIZE) { own += partials[i]; }
  partial[me] = own;
  workgroupBarrier();
  if (me != 0u) { return; }
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  let norm = sqrt(sum);
  let bad = not_finite(sum) || not_finite(stats[STATS_LOSS]) || stats[STATS_BAD] != 0.0;
  var clip = 1.0;
  if (p.max_norm != 0.0) { clip = min(1.0, p.max_norm / (norm + 1e-6)); }
  block[STATS_NORM] = norm;
  block[STATS_CLIP] = select(clip, 0.0, bad);
  block[STATS_BAD] = select(0.0, 1.0, bad);
}
