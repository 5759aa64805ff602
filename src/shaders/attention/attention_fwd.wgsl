// Causal attention inside documents, forward, family 'register' (no barrier, no workgroup memory).
//   s[n,h,j] = scale · Σ_d q[n,h,d] · k[j,g,d]          seg_start[n] ≤ j ≤ n,  g = h / (H / K)
//   o[n,h,:] = Σ_j exp(s[n,h,j] − lse[n,h]) · v[j,g,:]   lse[n,h] = log Σ_j exp(s[n,h,j])
// qkv [N, (H+2K)·D] (q heads, k heads, v heads), seg_start [N], o [N, H·D], lse [N, H].
// One invocation does one query of one head with a running maximum (online softmax), four keys a round.
// Neighbours are consecutive queries of one head and walk the keys from their document's start, so inside a document
// they read the same k and v row at the same time: one memory transaction for all of them. Assigns o and lse of live
// rows. Any head dim; above about 100 it slows down, because the private arrays no longer fit registers.

@group(0) @binding(2) var<storage, read_write> o: array<Lane>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> seg_start: array<u32>;

const MASKED = -1e30;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = p.row0 + id.x;
  let h = p.head0 + id.y;
  if (n >= live_rows(EXTENT_ROWS, 0u, p.rows)) { return; }
  let pitch = (p.heads + 2u * p.kv_heads) * LANES;
  let g = h / (p.heads / p.kv_heads);
  let k_base = (p.heads + g) * LANES;
  let v_base = k_base + p.kv_heads * LANES;

  var q: array<Lane, LANES>;
  var acc: array<Lane, LANES>;
  let q_at = n * pitch + h * LANES;
  for (var d = 0u; d < LANES; d++) { q[d] = qkv[q_at + d]; }

  var top = MASKED;
  var sum = 0.0;
  for (var j = seg_start[n]; j <= n; j += 4u) {
    // Past the end it reads the last key again, and masks it.
    let keys = vec4u(j) + vec4u(0u, 1u, 2u, 3u);
    let at = min(keys, vec4u(n)) * pitch;
    let k_at = at + k_base;
    var s = vec4f(0.0);
    for (var d = 0u; d < LANES; d++) {
      let x = q[d];
      s += vec4f(lane_dot(x, qkv[k_at.x + d]), lane_dot(x, qkv[k_at.y + d]), lane_dot(x, qkv[k_at.z + d]), lane_dot(x, qkv[k_at.w + d]));
    }
    s = select(vec4f(MASKED), s * p.scale, keys <= vec4u(n));
    let new_top = max(max(top, max(s.x, s.y)), max(s.z, s.w));
    let shrink = exp(top - new_top);
    let w = exp(s - new_top);
    top = new_top;
    sum = sum * shrink + (w.x + w.y) + (w.z + w.w);
    let v_at = at + v_base;
    for (var d = 0u; d < LANES; d++) {
      acc[d] = acc[d] * shrink + (w.x * qkv[v_at.x + d] + w.y * qkv[v_at.y + d]) + (w.z * qkv[v_at.z + d] + w.w * qkv[v_at.w + d]);
    }
  }

  let o_at = (n * p.heads + h) * LANES;
  let norm = 1.0 / sum;
  for (var d = 0u; d < LANES; d++) { o[o_at + d] = acc[d] * norm; }
  lse[n * p.heads + h] = top + log(sum);
}
