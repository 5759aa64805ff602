// What grad_norm.wgsl and grad_norm_block.wgsl share: the ordered sum of the partial sums of squares, and the clip factor.
// partials [count] f32. One workgroup: each invocation sums every SIZE-th partial, one barrier, then one adds them in order.

struct Params {
  count: u32,
  max_norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;

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
  var clip = 1.0;
  if (p.max_norm != 0.0) { clip = min(1.0, p.max_norm / (norm + 1e-6)); }
  finish(norm, clip, not_finite(sum));
}
