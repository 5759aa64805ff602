// For rope.wgsl: documents from a buffer, seg_start [N] = first token of each token's document.
@group(0) @binding(5) var<storage, read> seg_start: array<u32>;
fn segment_start(n: u32) -> u32 { return seg_start[n]; }
