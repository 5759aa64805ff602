// Norm of all gradients of the step, the clip factor and the bad flag, from the partial sums of squares:
//   norm = √Σ partials[i];  clip = max_norm == 0 ? 1 : min(1, max_norm / (norm + 1e-6))
// The bad flag becomes 1 when norm or loss is not finite, and stays 1; then clip is 0.
// partials [count] f32, stats f32[8]. Assigns stats.norm and stats.clip. One workgroup: each invocation sums
// every SIZE-th partial, one barrier, then one adds them in order.

struct Params {
  count: u32,
  max_norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;
@group(0) @binding(3) var<storage, read> partials: array<f32>;

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
  stats[STATS_NORM] = norm;
  if (not_finite(sum) || not_finite(stats[STATS_LOSS])) { stats[STATS_BAD] = 1.0; }
  var clip = 1.0;
  if (p.max_norm != 0.0) { clip = min(1.0, p.max_norm / (norm + 1e-6)); }
  if (stats[STATS_BAD] != 0.0) { clip = 0.0; }
  stats[STATS_CLIP] = clip;
}
