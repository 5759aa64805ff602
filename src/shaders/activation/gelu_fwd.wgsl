// GELU.  y[i] = x[i] · Φ(x[i])  over the live rows; Φ in gelu_maths.wgsl.
// y, x [N, C] f32. Assigns. Elementwise (elementwise.wgsl).
// Any C; V is vec4f where C % 4 == 0.

@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read> x: array<V>;

fn item(i: u32) { y[i] = x[i] * gelu(x[i]).cdf; }
