// Rows of any width. V is one step along a row, LANES its elements. The counterpart is rowwise_vec4.wgsl.
alias V = f32;
const LANES = 1u;

fn total(v: V) -> f32 { return v; }
fn largest(v: V) -> f32 { return v; }
fn first(v: V, n: u32, rest: V) -> V { return v; }
// v in lane i, 0 in the others.
fn only(v: V, i: u32) -> V { return select(0.0, v, i == 0u); }
fn any_not_finite(v: V) -> bool { return not_finite(v); }
