// Causal attention inside documents, forward, family 'shared'. Maths, shapes and limits as in attention_fwd.wgsl.
// One workgroup does 32 queries of one head and walks the keys in tiles of 32. Three steps a tile:
//   1. each invocation computes 4 × 4 scores straight from storage and leaves them in workgroup memory;
//   2. 32 invocations, one a query, update the running maximum and sum and turn scores into weights;
//   3. each invocation adds weights · v to its 4 queries × every 8th lane of o.
// 5 KiB of workgroup memory, three barriers a tile. Assigns o and lse of live rows. Any head dim.

@group(0) @binding(2) var<storage, read_write> o: array<Lane>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> seg_start: array<u32>;

const MASKED = -1e30;

var<workgroup> weights: array<vec4f, TILE * PITCH>;
var<workgroup> row_top: array<f32, TILE>;
var<workgroup> row_sum: array<f32, TILE>;
var<workgroup> row_shrink: array<f32, TILE>;

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
  if (t < TILE) {
    row_top[t] = MASKED;
    row_sum[t] = 0.0;
  }

  // Documents lie in order, so the first query's document holds the first key of all.
  for (var k0 = seg_start[n0]; k0 <= last; k0 += TILE) {
    let keys = vec4u(k0 + c * 4u) + vec4u(0u, 1u, 2u, 3u);
    let k_at = min(keys, vec4u(last)) * pitch + k_base;
    // The zeros are explicit: with Dawn on SwiftShader an array without initialiser is zero in the first round only.
    var s = array<vec4f, 4>(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
    for (var d = 0u; d < LANES; d++) {
      let k_a = qkv[k_at.x + d];
      let k_b = qkv[k_at.y + d];
      let k_c = qkv[k_at.z + d];
      let k_d = qkv[k_at.w + d];
      for (var i = 0u; i < 4u; i++) {
        let x = qkv[n[i] * pitch + h * LANES + d];
        s[i] += vec4f(lane_dot(x, k_a), lane_dot(x, k_b), lane_dot(x, k_c), lane_dot(x, k_d));
      }
    }
    for (var i = 0u; i < 4u; i++) {
      let seen = (keys >= vec4u(first[i])) & (keys <= vec4u(n[i]));
      weights[(r + i) * PITCH + c] = select(vec4f(MASKED), s[i] * p.scale, seen);
    }
    workgroupBarrier();

    if (t < TILE) {
      let top = row_top[t];
      var high = vec4f(top);
      for (var b = 0u; b < 8u; b++) { high = max(high, weights[t * PITCH + b]); }
      let new_top = max(max(high.x, high.y), max(high.z, high.w));
      let shrink = exp(top - new_top);
      var sum = vec4f(0.0);
      for (var b = 0u; b < 8u; b++) {
        let score = weights[t * PITCH + b];
        // A tile may hold no key of this query at all: then new_top is MASKED too, and exp(0) would be wrong.
        let w = select(vec4f(0.0), exp(score - new_top), score > vec4f(0.5 * MASKED));
        weights[t * PITCH + b] = w;
        sum += w;
      }
      row_top[t] = new_top;
      row_sum[t] = row_sum[t] * shrink + (sum.x + sum.y) + (sum.z + sum.w);
      row_shrink[t] = shrink;
    }
    workgroupBarrier();

    for (var i = 0u; i < 4u; i++) {
      let shrink = row_shrink[r + i];
      for (var e = 0u; e < COLS; e++) { acc[i][e] *= shrink; }
    }
    for (var b = 0u; b < 8u; b++) {
      let v_at = min(vec4u(k0 + b * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * pitch + v_base;
      for (var e = 0u; e < COLS; e++) {
        let d = min(c + e * 8u, LANES - 1u);
        let v_a = qkv[v_at.x + d];
        let v_b = qkv[v_at.y + d];
        let v_c = qkv[v_at.z + d];
        let v_d = qkv[v_at.w + d];
        for (var i = 0u; i < 4u; i++) {
          let w = weights[(r + i) * PITCH + b];
          acc[i][e] += (w.x * v_a + w.y * v_b) + (w.z * v_c + w.w * v_d);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    if (n0 + r + i > last) { break; }
    let norm = 1.0 / row_sum[r + i];
    let o_at = (n[i] * p.heads + h) * LANES;
    for (var e = 0u; e < COLS; e++) {
      let d = c + e * 8u;
      if (d < LANES) { o[o_at + d] = acc[i][e] * norm; }
    }
    if (c == 0u) { lse[n[i] * p.heads + h] = row_top[r + i] + log(row_sum[r + i]); }
  }
}
