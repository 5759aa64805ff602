// Puts the keys and values of new tokens into the K/V cache (generation).
//   k_cache[past + n, :] = k part of qkv[n, :]      v_cache[past + n, :] = v part of qkv[n, :]
// qkv [N, (H+2K)·D], caches [capacity, K·D], past = frame.past. Keys are stored after RoPE.
// Grid: x over the 2·K·D numbers of a row, k first; y, and z past 65,535, over new tokens. Assigns those rows; rows
// past the capacity are dropped, so the caller has to stop before that.
struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  capacity: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> k_cache: array<Lane>;
@group(0) @binding(3) var<storage, read_write> v_cache: array<Lane>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;

const LANES = HEAD_DIM / LANE_WIDTH;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let width = p.kv_heads * LANES;
  let n = id.z * 65535u + id.y;
  let row = frame.past + n;
  if (id.x >= 2u * width || n >= live_rows(EXTENT_ROWS, 0u, p.rows) || row >= p.capacity) { return; }
  let value = qkv[n * (p.heads + 2u * p.kv_heads) * LANES + p.heads * LANES + id.x];
  if (id.x < width) { k_cache[row * width + id.x] = value; } else { v_cache[row * width + id.x - width] = value; }
}
