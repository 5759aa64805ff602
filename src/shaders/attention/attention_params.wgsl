// Comes before the attention kernels of the training step. A Lane is one or four numbers of a head
// (attention_lane1.wgsl, attention_lane4.wgsl).

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  scale: f32,
  head0: u32,  // first head that this dispatch does; for dK and dV the first kv head, or the first query head if each has its own result
  row0: u32,   // first row that it does: a query, or a key for dK and dV
  group: u32,  // dK and dV by tiles: query heads of a workgroup, pitch of y in heads, and the heads where dk and dv begin
  pitch: u32,
  k0: u32,
  v0: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

const LANES = HEAD_DIM / LANE_WIDTH;
