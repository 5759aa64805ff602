// Scatter of rows, written from the receiving side so that every live row is assigned and none twice:
//   y[n,c] = x[inverse[row0 + n], c], or 0 where inverse[row0 + n] is 0xffffffff
// y [N, C], x [M, C] f32, inverse u32. Assigns the live rows of y. Elementwise (elementwise.wgsl) over y.
// Any C; V is vec4f where C % 4 == 0.

@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read> x: array<V>;
@group(0) @binding(4) var<storage, read> inverse: array<u32>;

const NO_ROW = 0xffffffffu;

fn item(i: u32) {
  let from_row = inverse[p.row0 + i / p.steps];
  var value = V(0.0);
  if (from_row != NO_ROW) { value = x[from_row * p.steps + i % p.steps]; }
  y[i] = value;
}
