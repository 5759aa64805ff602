// Rows of whole vec4s. V is one step along a row, LANES its elements. The counterpart is rowwise_scalar.wgsl.
alias V = vec4f;
const LANES = 4u;

fn total(v: V) -> f32 { return dot(v, V(1.0)); }
fn largest(v: V) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
// v in the first n lanes, rest in the others.
fn first(v: V, n: u32, rest: V) -> V { return select(rest, v, vec4u(0u, 1u, 2u, 3u) < vec4u(n)); }
// v in lane i, 0 in the others.
fn only(v: V, i: u32) -> V { return select(V(0.0), v, vec4u(0u, 1u, 2u, 3u) == vec4u(i)); }
fn any_not_finite(v: V) -> bool { return any((bitcast<vec4u>(v) & vec4u(0x7f800000u)) == vec4u(0x7f800000u)); }
