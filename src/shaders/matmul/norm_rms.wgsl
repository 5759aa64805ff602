// For matmul_tiles.wgsl: a is the RMS norm of what lies there (rms_norm_fwd.wgsl).  a[m,k] = x[m,k] · rstd[m] · (OFFSET + gain[k])
// gain [K], read; rstd [M], assigned, by the workgroups of the first columns. p.alpha is the norm's epsilon.
@group(0) @binding(10) var<storage, read> gain: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> rstd: array<f32>;

fn load_gain(k: u32) -> vec4f {
  if (OFFSET == 1u) { return 1.0 + gain[k / 4u]; }
  return gain[k / 4u];
}
fn norm_scale(mean_square: f32) -> f32 { return 1.0 / sqrt(mean_square + p.alpha); }
fn store_scale(row: u32, scale: f32) { rstd[row] = scale; }
fn load_shift(k: u32) -> vec4f { return vec4f(); }
fn store_stats(row: u32, mean_and_scale: vec2f) {}
