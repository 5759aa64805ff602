// Some columns of a matrix go into one of their own and leave zeros.  y[r, j] = x[r, index[j]];  x[r, index[j]] = 0
// x [rows, S], y [rows, J] f32. Assigns y and those columns of x, in the live rows. Runs under columns.wgsl.

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

fn move_element(i: u32, at: u32) {
  y[i] = x[at];
  x[at] = 0.0;
}
