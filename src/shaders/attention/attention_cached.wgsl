// Attention of new tokens over a K/V cache (generation; no gradient).
//   o[n,h,:] = softmax_j( scale · q[n,h]·k_cache[j,g] ) · v_cache[j,g,:]     first ≤ j ≤ frame.past + n,  g = h / (H / K)
//   first = 0, or frame.past + n + 1 − window where that is larger
// qkv [N, (H+2K)·D] of the new tokens (only the q heads are read), k_cache and v_cache [capacity, K·D]
// (attention_cache_append has already added the new tokens' rows), o [N, H·D]. One workgroup does one (n, h): SPLIT
// invocations take every SPLIT-th key with an online softmax of their own, then, after the only barrier, their parts
// are merged in order. Assigns o of live rows. Needs frame.past + N ≤ capacity (keys past the capacity are left out)
// and SPLIT·(D + 3)·4 ≤ 16 KiB.
struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  capacity: u32,
  scale: f32,
  window: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> o: array<f32>;
@group(0) @binding(3) var<storage, read> qkv: array<Lane>;
@group(0) @binding(4) var<storage, read> k_cache: array<Lane>;
@group(0) @binding(5) var<storage, read> v_cache: array<Lane>;

const LANES = HEAD_DIM / LANE_WIDTH;
const MASKED = -1e30;
// One number of padding per row keeps the merge free of bank conflicts.
const PART = HEAD_DIM + 1u;

var<workgroup> part_top: array<f32, SPLIT>;
var<workgroup> part_sum: array<f32, SPLIT>;
var<workgroup> part_acc: array<f32, SPLIT * PART>;

@compute @workgroup_size(SPLIT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) split: u32) {
  let n = group.z * 65535u + group.x;
  let h = group.y;
  if (n >= live_rows(EXTENT_ROWS, 0u, p.rows)) { return; }
  let g = h / (p.heads / p.kv_heads);
  let end = min(frame.past + n + 1u, p.capacity);

  var q: array<Lane, LANES>;
  var acc: array<Lane, LANES>;
  let q_at = (n * (p.heads + 2u * p.kv_heads) + h) * LANES;
  for (var d = 0u; d < LANES; d++) { q[d] = qkv[q_at + d]; }

  var top = MASKED;
  var sum = 0.0;
  let first = max(end, p.window) - p.window;
  for (var j = first + split; j < end; j += SPLIT) {
    let at = (j * p.kv_heads + g) * LANES;
    var s = 0.0;
    for (var d = 0u; d < LANES; d++) { s += lane_dot(q[d], k_cache[at + d]); }
    s *= p.scale;
    let new_top = max(top, s);
    let shrink = exp(top - new_top);
    let w = exp(s - new_top);
    top = new_top;
    sum = sum * shrink + w;
    for (var d = 0u; d < LANES; d++) { acc[d] = acc[d] * shrink + w * v_cache[at + d]; }
  }

  part_top[split] = top;
  part_sum[split] = sum;
  for (var d = 0u; d < LANES; d++) {
    for (var c = 0u; c < LANE_WIDTH; c++) { part_acc[split * PART + d * LANE_WIDTH + c] = lane_get(acc[d], c); }
  }
  workgroupBarrier();

  var all_top = MASKED;
  for (var i = 0u; i < SPLIT; i++) { all_top = max(all_top, part_top[i]); }
  var all_sum = 0.0;
  for (var i = 0u; i < SPLIT; i++) { all_sum += part_sum[i] * exp(part_top[i] - all_top); }
  for (var e = split; e < HEAD_DIM; e += SPLIT) {
    var value = 0.0;
    for (var i = 0u; i < SPLIT; i++) { value += part_acc[i * PART + e] * exp(part_top[i] - all_top); }
    o[(n * p.heads + h) * HEAD_DIM + e] = value / all_sum;
  }
}
