// This text comes before every kernel. Binding 0 is the kernel's Params, written once per plan; binding 1 is this
// frame, written once per micro-batch. Storage bindings start at 2.

struct Frame {
  rows: u32,             // N: live tokens
  targets: u32,          // M: live rows of the head
  token_groups: u32,     // distinct token ids
  position_groups: u32,  // distinct positions
  past: u32,             // tokens already in the K/V cache (generation)
  accumulate: u32,       // 0 for the first micro-batch of a step: gradients are assigned, else added to
  loss_scale: f32,       // 1 / (targets of the whole optimizer step)
}

@group(0) @binding(1) var<uniform> frame: Frame;

// Which extent limits the rows of a dispatch; the numbers match EXTENT_CODES in kernel.ts.
const EXTENT_NONE = 0u;
const EXTENT_ROWS = 1u;
const EXTENT_TARGETS = 2u;

// Live rows of a dispatch that covers rows [row0, row0 + limit) of the given extent.
fn live_rows(extent: u32, row0: u32, limit: u32) -> u32 {
  if (extent == EXTENT_ROWS) { return min(limit, max(frame.rows, row0) - row0); }
  if (extent == EXTENT_TARGETS) { return min(limit, max(frame.targets, row0) - row0); }
  return limit;
}

// NaN or infinity, by exponent bits: comparisons may be folded away by a compiler that assumes finite maths.
fn not_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}
