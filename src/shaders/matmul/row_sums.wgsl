// For matmul_tiles.wgsl: what an epilogue adds up of each row, one number a row and column of workgroups: along [M, GROUPS], assigned.
@group(0) @binding(8) var<storage, read_write> along: array<f32>;

var<private> of_row: f32;

fn add_to_row(value: f32) { of_row = value; }
fn row_sum() -> f32 { return of_row; }
fn store_row_sum(row: u32, group: u32, sum: f32) { along[row * GROUPS + group] = sum; }
