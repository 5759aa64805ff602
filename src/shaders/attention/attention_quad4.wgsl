// Quads of a row of SOURCE, an array of vec4f; 0 past the head dim.
fn SOURCE_quad(at: u32, quad: u32) -> vec4f {
  if (RAGGED == 1u && quad >= LANES) { return vec4f(); }
  return SOURCE[at + quad];
}
