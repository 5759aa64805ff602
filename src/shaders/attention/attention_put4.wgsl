// Writes a quad of a row of SOURCE, an array of vec4f; nothing past the head dim.
fn put_SOURCE(at: u32, quad: u32, value: vec4f) {
  if (RAGGED == 1u && quad >= LANES) { return; }
  SOURCE[at + quad] = value;
}
