// Attention backward, gradient of the queries, family 'shared'. Maths and shapes as in attention_bwd_dq.wgsl.
// One workgroup does 32 queries of one head and walks the keys in tiles of 32. Two steps a tile:
//   1. each invocation computes dS for 4 queries × 4 keys straight from storage, into workgroup memory;
//   2. each invocation adds dS · k to its 4 queries × every 8th lane of dq.
// 4.5 KiB of workgroup memory, two barriers a tile. Assigns the q part of dqkv's live rows. Any head dim.

@group(0) @binding(2) var<storage, read_write> dqkv: array<Lane>;
@group(0) @binding(3) var<storage, read> dout: array<Lane>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read> seg_start: array<u32>;

var<workgroup> ds_tile: array<vec4f, TILE * PITCH>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = group.x * TILE;
  let h = p.head0 + group.y;
  let rows = live_rows(EXTENT_ROWS, 0u, p.rows);
  if (n0 >= rows) { return; }
  let last = min(n0 + TILE, rows) - 1u;
  let pitch = (p.heads + 2u * p.kv_heads) * LANES;
  let k_base = (p.heads + h / (p.heads / p.kv_heads)) * LANES;
  let v_base = k_base + p.kv_heads * LANES;

  // This invocation's queries are r … r + 3 of the tile; its keys 4c … 4c + 3, its lanes c, c + 8, ….
  let r = t / 8u * 4u;
  let c = t % 8u;
  var n: array<u32, 4>;
  var first: array<u32, 4>;
  for (var i = 0u; i < 4u; i++) {
    n[i] = min(n0 + r + i, last);
    first[i] = seg_start[n[i]];
  }
  var acc: array<array<Lane, COLS>, 4>;

  for (var k0 = seg_start[n0]; k0 <= last; k0 += TILE) {
    let keys = vec4u(k0 + c * 4u) + vec4u(0u, 1u, 2u, 3u);
    let at = min(keys, vec4u(last)) * pitch;
    let k_at = at + k_base;
    let v_at = at + v_base;
    // The zeros are explicit: with Dawn on SwiftShader an array without initialiser is zero in the first round only.
    var s = array<vec4f, 4>(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
    var dp = array<vec4f, 4>(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
    for (var d = 0u; d < LANES; d++) {
      let k_a = qkv[k_at.x + d];
      let k_b = qkv[k_at.y + d];
      let k_c = qkv[k_at.z + d];
      let k_d = qkv[k_at.w + d];
      let v_a = qkv[v_at.x + d];
      let v_b = qkv[v_at.y + d];
      let v_c = qkv[v_at.z + d];
      let v_d = qkv[v_at.w + d];
      for (var i = 0u; i < 4u; i++) {
        let x = qkv[n[i] * pitch + h * LANES + d];
        let y = dout[(n[i] * p.heads + h) * LANES + d];
        s[i] += vec4f(lane_dot(x, k_a), lane_dot(x, k_b), lane_dot(x, k_c), lane_dot(x, k_d));
        dp[i] += vec4f(lane_dot(y, v_a), lane_dot(y, v_b), lane_dot(y, v_c), lane_dot(y, v_d));
      }
    }
    for (var i = 0u; i < 4u; i++) {
      let stat_at = n[i] * p.heads + h;
      let seen = (keys >= vec4u(first[i])) & (keys <= vec4u(n[i]));
      let ds = exp(s[i] * p.scale - lse[stat_at]) * (dp[i] - delta[stat_at]) * p.scale;
      ds_tile[(r + i) * PITCH + c] = select(vec4f(0.0), ds, seen);
    }
    workgroupBarrier();

    for (var b = 0u; b < 8u; b++) {
      let row_at = min(vec4u(k0 + b * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * pitch + k_base;
      for (var e = 0u; e < COLS; e++) {
        let d = min(c + e * 8u, LANES - 1u);
        let k_a = qkv[row_at.x + d];
        let k_b = qkv[row_at.y + d];
        let k_c = qkv[row_at.z + d];
        let k_d = qkv[row_at.w + d];
        for (var i = 0u; i < 4u; i++) {
          let ds = ds_tile[(r + i) * PITCH + b];
          acc[i][e] += (ds.x * k_a + ds.y * k_b) + (ds.z * k_c + ds.w * k_d);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    if (n0 + r + i > last) { break; }
    for (var e = 0u; e < COLS; e++) {
      let d = c + e * 8u;
      if (d < LANES) { dqkv[n[i] * pitch + h * LANES + d] = acc[i][e]; }
    }
  }
}
