// For matmul_tiles.wgsl: a is the layer norm of what lies there (layer_norm_fwd.wgsl).  a[m,k] = (x[m,k] − mean[m]) · rstd[m] · gain[k] + shift[k]
// gain, shift [K], read; stats [M] pairs of mean and rstd, assigned, by the workgroups of the first columns. p.alpha is the norm's epsilon.
@group(0) @binding(10) var<storage, read> gain: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(12) var<storage, read> shift: array<vec4f>;

fn load_gain(k: u32) -> vec4f { return gain[k / 4u]; }
fn load_shift(k: u32) -> vec4f { return shift[k / 4u]; }
fn norm_scale(mean_square: f32) -> f32 { return 1.0 / sqrt(mean_square + p.alpha); }
fn store_scale(row: u32, scale: f32) {}
fn store_stats(row: u32, mean_and_scale: vec2f) { stats[row] = mean_and_scale; }
