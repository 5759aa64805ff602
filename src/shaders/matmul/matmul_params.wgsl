// What every matmul kernel shares: its params. An address counts in the unit of its operand: quads or single elements, see load_*.wgsl and
// store_*.wgsl.

struct Params {
  m: u32,        // capacity: rows of y
  n: u32,        // columns of y
  k: u32,        // capacity: terms of a sum
  lda: u32,      // addresses from one stored row to the next
  ldb: u32,
  ldy: u32,
  a0: u32,       // address of the first element
  b0: u32,
  y0: u32,
  extent: u32,   // what limits m (nt, nn) or k (tn), for live_rows()
  row0: u32,
  alpha: f32,
  span: u32,     // tiles: terms of a part of the sum (k if there is only one), and addresses from one part's y to the next
  part: u32,     // (of epilogue_norm_bwd.wgsl: sums of a row)
  part0: u32,    // first part of this dispatch
  col0: u32,     // tiles: first column of this dispatch
}

@group(0) @binding(0) var<uniform> p: Params;
