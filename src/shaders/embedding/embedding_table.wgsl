// The token table of embedding_fwd in f32.
@group(0) @binding(4) var<storage, read> table: array<V>;

fn table_at(at: u32) -> V {
  return table[at];
}
