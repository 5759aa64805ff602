// Gather of rows.  y[m,c] = x[index[row0 + m], c]
// y [M, C], x [N, C] f32, index u32. Assigns the live rows of y. Elementwise (elementwise.wgsl) over y.
// Any C; V is vec4f where C % 4 == 0.

@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read> x: array<V>;
@group(0) @binding(4) var<storage, read> index: array<u32>;

fn item(i: u32) { y[i] = x[index[p.row0 + i / p.steps] * p.steps + i % p.steps]; }
