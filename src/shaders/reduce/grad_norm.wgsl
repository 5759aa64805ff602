// Norm of all gradients of the step, the clip factor and the bad flag, from the partial sums of squares:
//   norm = √Σ partials[i];  clip = max_norm == 0 ? 1 : min(1, max_norm / (norm + 1e-6))
// The bad flag becomes 1 if norm or loss is not finite, and stays 1; clip is 0 then.
// stats f32[8]. Assigns stats.norm and stats.clip. Runs under clip.wgsl.

@group(0) @binding(2) var<storage, read_write> stats: array<f32>;
@group(0) @binding(3) var<storage, read> partials: array<f32>;

fn finish(norm: f32, clip: f32, bad: bool) {
  stats[STATS_NORM] = norm;
  if (bad || not_finite(stats[STATS_LOSS])) { stats[STATS_BAD] = 1.0; }
  stats[STATS_CLIP] = select(clip, 0.0, stats[STATS_BAD] != 0.0);
}
