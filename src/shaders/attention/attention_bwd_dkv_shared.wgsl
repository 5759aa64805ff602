// Attention backward, gradients of keys and values, family 'shared'. Maths and shapes as in attention_bwd_dkv.wgsl.
// One workgroup does 32 keys of one kv head; for every query head of the group, in rising order, it walks the
// queries in tiles of 32. Two steps a tile:
//   1. each invocation computes P and dS for 4 keys × 4 queries straight from storage, into workgroup memory;
//   2. each invocation adds P · dout and dS · q to its 4 keys × every 8th lane of dv and dk.
// 9 KiB of workgroup memory, two barriers a tile. Assigns the k and v parts of dqkv's live rows. Any head dim.

@group(0) @binding(2) var<storage, read_write> dqkv: array<Lane>;
@group(0) @binding(3) var<storage, read> dout: array<Lane>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read> seg_end: array<u32>;

var<workgroup> p_tile: array<vec4f, TILE * PITCH>;
var<workgroup> ds_tile: array<vec4f, TILE * PITCH>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let j0 = group.x * TILE;
  let g = p.head0 + group.y;
  let rows = live_rows(EXTENT_ROWS, 0u, p.rows);
  if (j0 >= rows) { return; }
  let last = min(j0 + TILE, rows) - 1u;
  // Documents lie in order, so the last key's document holds the last query of all.
  let end = min(seg_end[last], rows);
  let pitch = (p.heads + 2u * p.kv_heads) * LANES;
  let group_heads = p.heads / p.kv_heads;
  let k_base = (p.heads + g) * LANES;
  let v_base = k_base + p.kv_heads * LANES;

  // This invocation's keys are r … r + 3 of the tile; its queries 4c … 4c + 3, its lanes c, c + 8, ….
  let r = t / 8u * 4u;
  let c = t % 8u;
  var j: array<u32, 4>;
  var after: array<u32, 4>;
  for (var i = 0u; i < 4u; i++) {
    j[i] = min(j0 + r + i, last);
    after[i] = seg_end[j[i]];
  }
  var dk: array<array<Lane, COLS>, 4>;
  var dv: array<array<Lane, COLS>, 4>;

  for (var h = g * group_heads; h < (g + 1u) * group_heads; h++) {
    for (var n0 = j0; n0 < end; n0 += TILE) {
      let queries = vec4u(n0 + c * 4u) + vec4u(0u, 1u, 2u, 3u);
      let n = min(queries, vec4u(end - 1u));
      let q_at = n * pitch + h * LANES;
      let stat_at = n * p.heads + h;
      let y_at = stat_at * LANES;
      // The zeros are explicit: with Dawn on SwiftShader an array without initialiser is zero in the first round only.
      var s = array<vec4f, 4>(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
      var dp = array<vec4f, 4>(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
      for (var d = 0u; d < LANES; d++) {
        let q_a = qkv[q_at.x + d];
        let q_b = qkv[q_at.y + d];
        let q_c = qkv[q_at.z + d];
        let q_d = qkv[q_at.w + d];
        let y_a = dout[y_at.x + d];
        let y_b = dout[y_at.y + d];
        let y_c = dout[y_at.z + d];
        let y_d = dout[y_at.w + d];
        for (var i = 0u; i < 4u; i++) {
          let x = qkv[j[i] * pitch + k_base + d];
          let y = qkv[j[i] * pitch + v_base + d];
          s[i] += vec4f(lane_dot(x, q_a), lane_dot(x, q_b), lane_dot(x, q_c), lane_dot(x, q_d));
          dp[i] += vec4f(lane_dot(y, y_a), lane_dot(y, y_b), lane_dot(y, y_c), lane_dot(y, y_d));
        }
      }
      let log_sum = vec4f(lse[stat_at.x], lse[stat_at.y], lse[stat_at.z], lse[stat_at.w]);
      let mean = vec4f(delta[stat_at.x], delta[stat_at.y], delta[stat_at.z], delta[stat_at.w]);
      for (var i = 0u; i < 4u; i++) {
        let seen = (queries >= vec4u(j[i])) & (queries < vec4u(min(after[i], end)));
        let w = select(vec4f(0.0), exp(s[i] * p.scale - log_sum), seen);
        p_tile[(r + i) * PITCH + c] = w;
        // A masked w is 0, and its factor is finite.
        ds_tile[(r + i) * PITCH + c] = w * (dp[i] - mean) * p.scale;
      }
      workgroupBarrier();

      for (var b = 0u; b < 8u; b++) {
        let m = min(vec4u(n0 + b * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(end - 1u));
        let row_q = m * pitch + h * LANES;
        let row_y = (m * p.heads + h) * LANES;
        for (var e = 0u; e < COLS; e++) {
          let d = min(c + e * 8u, LANES - 1u);
          let q_a = qkv[row_q.x + d];
          let q_b = qkv[row_q.y + d];
          let q_c = qkv[row_q.z + d];
          let q_d = qkv[row_q.w + d];
          let y_a = dout[row_y.x + d];
          let y_b = dout[row_y.y + d];
          let y_c = dout[row_y.z + d];
          let y_d = dout[row_y.w + d];
          for (var i = 0u; i < 4u; i++) {
            let w = p_tile[(r + i) * PITCH + b];
            let ds = ds_tile[(r + i) * PITCH + b];
            dv[i][e] += (w.x * y_a + w.y * y_b) + (w.z * y_c + w.w * y_d);
            dk[i][e] += (ds.x * q_a + ds.y * q_b) + (ds.z * q_c + ds.w * q_d);
          }
        }
      }
      workgroupBarrier();
    }
  }

  for (var i = 0u; i < 4u; i++) {
    if (j0 + r + i > last) { break; }
    for (var e = 0u; e < COLS; e++) {
      let d = c + e * 8u;
      if (d < LANES) {
        dqkv[j[i] * pitch + k_base + d] = dk[i][e];
        dqkv[j[i] * pitch + v_base + d] = dv[i][e];
      }
    }
  }
}
