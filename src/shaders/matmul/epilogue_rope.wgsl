// Epilogue of a product whose columns are the q, k and v heads of a token: y = a·b + bias, with the q and k heads turned by the angles of
// its position, as rope.wgsl does in place.
//   y [M, (H + 2K)·D], stride ldy; HALF = D/2; cos, sin [table_rows, HALF]; seg_start [M]. An invocation has two pairs (matmul_tiles.wgsl).

@group(0) @binding(7) var<storage, read> cos_table: array<vec2f>;
@group(0) @binding(8) var<storage, read> sin_table: array<vec2f>;
@group(0) @binding(9) var<storage, read> seg_start: array<u32>;

fn emit(row: u32, place: u32, part: u32, sum: vec4f) {
  let col = column(place);
  let low = sum.xy + bias_pair(col);
  let high = sum.zw + bias_pair(col + HALF);
  var c = vec2f(1.0);
  var s = vec2f();
  if (col < TURNED) {
    let pos = frame.past + row - seg_start[row];
    let at = (min(pos, TABLE_ROWS - 1u) * HALF + col % (2u * HALF)) / 2u;
    c = cos_table[at];
    s = sin_table[at];
    // The bits of NaN, computed from a value that the compiler does not know, because a constant NaN is an error in WGSL.
    if (pos >= TABLE_ROWS) { c = vec2f(bitcast<f32>(0x7fc00000u | p.m)); }
  }
  keep(row * p.ldy + col / 2u, low * c - high * s);
  keep(row * p.ldy + (col + HALF) / 2u, high * c + low * s);
}
