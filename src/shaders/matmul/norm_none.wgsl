// For matmul_tiles.wgsl: a is what lies there.
fn load_gain(k: u32) -> vec4f { return vec4f(1.0); }
fn norm_scale(mean_square: f32) -> f32 { return 1.0; }
fn store_scale(row: u32, scale: f32) {}
fn load_shift(k: u32) -> vec4f { return vec4f(); }
fn store_stats(row: u32, mean_and_scale: vec2f) {}
