// Learned positions for embedding_fwd: they count from 0 in every document, and continue after the cache when
// generating.
@group(0) @binding(5) var<storage, read> positions: array<V>;
@group(0) @binding(6) var<storage, read> seg_start: array<u32>;

fn position_part(row: u32, step: u32) -> V {
  return positions[(row - seg_start[row] + frame.past) * p.steps + step];
}
