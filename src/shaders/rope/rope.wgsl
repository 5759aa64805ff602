// Rotary position embedding in place, half-rotation as in Hugging Face Llama, and its adjoint.
//   for d < D/2, with c = cos[pos, d] and s = sign · sin[pos, d]:
//   x[n,h,d] ← x[n,h,d]·c − x[n,h,d+D/2]·s       x[n,h,d+D/2] ← x[n,h,d+D/2]·c + x[n,h,d]·s
//   pos = frame.past + n − segment_start(n)      sign = 1, or −1 for the adjoint (= the inverse)
// qkv [N, (H+2K)·D], whose q and k heads are rotated and whose v heads stay; cos, sin [table_rows, D/2].
// Grid: x over rows × D/2, y over the H + K heads; one invocation does one pair (or four, where D/2 is a
// multiple of 4). A position outside the table gives NaN, so that it is seen.
// segment_start comes from rope_segments.wgsl or rope_one_segment.wgsl.
struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  table_rows: u32,
  sign: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> qkv: array<Lane>;
@group(0) @binding(3) var<storage, read> cos_table: array<Lane>;
@group(0) @binding(4) var<storage, read> sin_table: array<Lane>;

const HALF = HEAD_DIM / 2u / LANE_WIDTH;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x / HALF;
  let d = id.x % HALF;
  if (n >= live_rows(EXTENT_ROWS, 0u, p.rows)) { return; }
  let pos = frame.past + n - segment_start(n);
  let at = (n * (p.heads + 2u * p.kv_heads) + id.y) * 2u * HALF + d;
  var c = cos_table[min(pos, p.table_rows - 1u) * HALF + d];
  let s = sin_table[min(pos, p.table_rows - 1u) * HALF + d] * p.sign;
  // The bits of NaN, computed from a value that the compiler does not know, because a constant NaN is an error in WGSL.
  if (pos >= p.table_rows) { c = Lane(bitcast<f32>(0x7fc00000u | p.table_rows)); }
  let low = qkv[at];
  let high = qkv[at + HALF];
  qkv[at] = low * c - high * s;
  qkv[at + HALF] = high * c + low * s;
}
