// Norm of one block's gradients, its own clip factor and bad flag, from its partial sums of squares:
//   norm = √Σ partials[i];  clip = max_norm == 0 ? 1 : min(1, max_norm / (norm + 1e-6))
// The block's bad flag is 1 if norm or the step's loss is not finite, or if the step is bad already; clip is 0 then.
// block and stats f32[8]. Assigns block.norm, block.clip and block.bad. Runs under clip.wgsl.

@group(0) @binding(2) var<storage, read_write> block: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> partials: array<f32>;

fn finish(norm: f32, clip: f32, bad: bool) {
  let skip = bad || not_finite(stats[STATS_LOSS]) || stats[STATS_BAD] != 0.0;
  block[STATS_NORM] = norm;
  block[STATS_CLIP] = select(clip, 0.0, skip);
  block[STATS_BAD] = select(0.0, 1.0, skip);
}
