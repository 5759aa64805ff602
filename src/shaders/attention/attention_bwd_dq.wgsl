// Attention backward, gradient of the queries, family 'register' (no barrier, no workgroup memory).
//   P[n,j] = exp(scale · q[n,h]·k[j,g] − lse[n,h])        dP[n,j] = dout[n,h]·v[j,g]
//   dq[n,h,:] = scale · Σ_j P[n,j] · (dP[n,j] − delta[n,h]) · k[j,g,:]     seg_start[n] ≤ j ≤ n,  g = h / (H / K)
// dqkv and qkv [N, (H+2K)·D], dout [N, H·D], lse and delta [N, H], seg_start [N].
// One invocation does one query of one head, four keys a round; neighbours read the same key rows.
// Assigns the q part of dqkv's live rows and nothing else. Any head dim; slows down above about 64 where
// the private arrays no longer fit registers.

@group(0) @binding(2) var<storage, read_write> dqkv: array<Lane>;
@group(0) @binding(3) var<storage, read> dout: array<Lane>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read> seg_start: array<u32>;

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
  var dy: array<Lane, LANES>;
  var acc: array<Lane, LANES>;
  let q_at = n * pitch + h * LANES;
  let stat_at = n * p.heads + h;
  for (var d = 0u; d < LANES; d++) {
    q[d] = qkv[q_at + d];
    dy[d] = dout[stat_at * LANES + d];
  }
  let log_sum = lse[stat_at];
  let mean = delta[stat_at];

  for (var j = seg_start[n]; j <= n; j += 4u) {
    let keys = vec4u(j) + vec4u(0u, 1u, 2u, 3u);
    let at = min(keys, vec4u(n)) * pitch;
    let k_at = at + k_base;
    let v_at = at + v_base;
    var s = vec4f(0.0);
    var dp = vec4f(0.0);
    for (var d = 0u; d < LANES; d++) {
      let x = q[d];
      let y = dy[d];
      s += vec4f(lane_dot(x, qkv[k_at.x + d]), lane_dot(x, qkv[k_at.y + d]), lane_dot(x, qkv[k_at.z + d]), lane_dot(x, qkv[k_at.w + d]));
      dp += vec4f(lane_dot(y, qkv[v_at.x + d]), lane_dot(y, qkv[v_at.y + d]), lane_dot(y, qkv[v_at.z + d]), lane_dot(y, qkv[v_at.w + d]));
    }
    let ds = select(vec4f(0.0), exp(s * p.scale - log_sum) * (dp - mean) * p.scale, keys <= vec4u(n));
    for (var d = 0u; d < LANES; d++) {
      acc[d] += (ds.x * qkv[k_at.x + d] + ds.y * qkv[k_at.y + d]) + (ds.z * qkv[k_at.z + d] + ds.w * qkv[k_at.w + d]);
    }
  }
  for (var d = 0u; d < LANES; d++) { dqkv[q_at + d] = acc[d]; }
}
