// Writes a quad of a row of SOURCE, an array of f32; nothing past the head dim.
fn put_SOURCE(at: u32, quad: u32, value: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (quad * 4u + i < HEAD_DIM) { SOURCE[at + quad * 4u + i] = value[i]; }
  }
}
