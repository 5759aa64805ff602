// Included by the attention and RoPE kernels if rows have to be read one number at a time (head dim not a multiple of
// 4).
alias Lane = f32;
const LANE_WIDTH = 1u;
fn lane_dot(a: Lane, b: Lane) -> f32 { return a * b; }
fn lane_get(a: Lane, at: u32) -> f32 { return a; }
