// Some columns of a matrix get other values.  y[r, index[j]] = x[r, j]
// y [rows, S], x [rows, J] f32. Assigns those columns of the live rows and no others. Runs under columns.wgsl.

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;

fn move_element(i: u32, at: u32) { y[at] = x[i]; }
