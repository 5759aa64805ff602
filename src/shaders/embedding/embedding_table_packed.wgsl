// The token table of embedding_fwd in packed quads: table and load_table come from lib/load_f16.wgsl or lib/load_bf16.wgsl.
fn table_at(at: u32) -> V {
  return load_table(at, 4u);
}
