// Included by the attention and RoPE kernels if the split size is a multiple of 4: rows are read four numbers at a
// time.
alias Lane = vec4f;
const LANE_WIDTH = 4u;
fn lane_dot(a: Lane, b: Lane) -> f32 { return dot(a, b); }
fn lane_get(a: Lane, at: u32) -> f32 { return a[at]; }
