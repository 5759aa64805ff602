// Attention backward, gradients of keys and values, family 'register' (no barrier, no workgroup memory).
//   P[n,j] = exp(scale · q[n,h]·k[j,g] − lse[n,h])        dP[n,j] = dout[n,h]·v[j,g]
//   dv[j,g,:] = Σ_{h of group g} Σ_n P[n,j] · dout[n,h,:]                              j ≤ n < seg_end[j]
//   dk[j,g,:] = scale · Σ_{h of group g} Σ_n P[n,j] · (dP[n,j] − delta[n,h]) · q[n,h,:]
// dqkv and qkv [N, (H+2K)·D], dout [N, H·D], lse and delta [N, H], seg_end [N].
// One invocation does one key of one kv head; heads of the group in rising order, queries from the document's last down
// to j, four a round. The order is downwards so that neighbouring keys of a document read the same query rows. Assigns
// the k and v parts of dqkv's live rows and nothing else. Any head dim; slows down above about 32 where the private
// arrays no longer fit registers.

@group(0) @binding(2) var<storage, read_write> dqkv: array<Lane>;
@group(0) @binding(3) var<storage, read> dout: array<Lane>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read> seg_end: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = p.row0 + id.x;
  let g = p.head0 + id.y;
  let rows = live_rows(EXTENT_ROWS, 0u, p.rows);
  if (j >= rows) { return; }
  let pitch = (p.heads + 2u * p.kv_heads) * LANES;
  let group = p.heads / p.kv_heads;
  let k_at = j * pitch + (p.heads + g) * LANES;
  let v_at = k_at + p.kv_heads * LANES;
  let end = min(seg_end[j], rows);

  var k: array<Lane, LANES>;
  var v: array<Lane, LANES>;
  var dk: array<Lane, LANES>;
  var dv: array<Lane, LANES>;
  for (var d = 0u; d < LANES; d++) {
    k[d] = qkv[k_at + d];
    v[d] = qkv[v_at + d];
  }

  for (var h = g * group; h < (g + 1u) * group; h++) {
    for (var next = end; next > j; next -= min(4u, next - j)) {
      // Queries next - 1 down to next - 4; a query before j is replaced by j, and masked.
      let back = vec4u(1u, 2u, 3u, 4u);
      let live = vec4u(next) >= vec4u(j) + back;
      let n = max(vec4u(next), vec4u(j) + back) - back;
      let q_at = n * pitch + h * LANES;
      let stat_at = n * p.heads + h;
      let y_at = stat_at * LANES;
      var s = vec4f(0.0);
      var dp = vec4f(0.0);
      for (var d = 0u; d < LANES; d++) {
        let x = k[d];
        let y = v[d];
        s += vec4f(lane_dot(x, qkv[q_at.x + d]), lane_dot(x, qkv[q_at.y + d]), lane_dot(x, qkv[q_at.z + d]), lane_dot(x, qkv[q_at.w + d]));
        dp += vec4f(lane_dot(y, dout[y_at.x + d]), lane_dot(y, dout[y_at.y + d]), lane_dot(y, dout[y_at.z + d]), lane_dot(y, dout[y_at.w + d]));
      }
      let log_sum = vec4f(lse[stat_at.x], lse[stat_at.y], lse[stat_at.z], lse[stat_at.w]);
      let mean = vec4f(delta[stat_at.x], delta[stat_at.y], delta[stat_at.z], delta[stat_at.w]);
      let w = select(vec4f(0.0), exp(s * p.scale - log_sum), live);
      let ds = w * (dp - mean) * p.scale;
      for (var d = 0u; d < LANES; d++) {
        dv[d] += (w.x * dout[y_at.x + d] + w.y * dout[y_at.y + d]) + (w.z * dout[y_at.z + d] + w.w * dout[y_at.w + d]);
        dk[d] += (ds.x * qkv[q_at.x + d] + ds.y * qkv[q_at.y + d]) + (ds.z * qkv[q_at.z + d] + ds.w * qkv[q_at.w + d]);
      }
    }
  }
  for (var d = 0u; d < LANES; d++) {
    dqkv[k_at + d] = dk[d];
    dqkv[v_at + d] = dv[d];
  }
}
