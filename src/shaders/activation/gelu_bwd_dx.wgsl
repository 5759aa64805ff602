// GELU, gradient of x.  dx[i] = dy[i] · (Φ(x[i]) + x[i] · Φ'(x[i]))  over the live rows; see gelu_maths.wgsl.
// dx, dy, x [N, C] f32. Assigns. Elementwise (elementwise.wgsl).
// Any C; V is vec4f where C % 4 == 0.

@group(0) @binding(2) var<storage, read_write> dx: array<V>;
@group(0) @binding(3) var<storage, read> dy: array<V>;
@group(0) @binding(4) var<storage, read> x: array<V>;

fn item(i: u32) { dx[i] = dy[i] * gelu(x[i]).slope; }
