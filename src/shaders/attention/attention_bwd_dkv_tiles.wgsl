// Attention backward, gradients of keys and values, family 'tiles' (attention_tile.wgsl). Maths and shapes as in attention_bwd_dkv.wgsl.
// The owner's rows are keys, the others queries of `group` query heads one after another. Probabilities and dS of a tile, then
// dv += P · dout and dk += dS · q. y has rows of `pitch` heads; the results of workgroup column c are its heads k0 + c and v0 + c:
// either all query heads of a kv head in one workgroup, into dqkv, or one query head a workgroup, to be added by attention_bwd_sum.wgsl.
// Assigns live rows. Any head dim.

@group(0) @binding(2) var<storage, read_write> y: array<Lane>;
@group(0) @binding(3) var<storage, read> dout: array<Lane>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read> seg_end: array<u32>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) me: u32) {
  let x0 = p.row0 + workgroup.x * X;
  let column = p.head0 + workgroup.y;
  let rows = live_rows(EXTENT_ROWS, 0u, p.rows);
  if (x0 >= rows) { return; }
  let last = min(x0 + X, rows) - 1u;
  // Documents lie in order, so the last key's document holds the last query of all.
  let end = min(seg_end[last], rows);
  let pitch = (p.heads + 2u * p.kv_heads) * LANES;
  let h0 = column * p.group;
  let k_base = (p.heads + h0 / (p.heads / p.kv_heads)) * LANES;
  let v_base = k_base + p.kv_heads * LANES;
  let ty = me / 8u;
  let tx = me % 8u;
  let j = min(vec4u(x0 + ty * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(last));
  let after = min(vec4u(seg_end[j.x], seg_end[j.y], seg_end[j.z], seg_end[j.w]), vec4u(end));
  let staged = min(x0 + me / 2u, last) * pitch;
  let k_at = staged + k_base;
  let v_at = staged + v_base;

  var dk: array<vec4f, 4u * COLS>;
  var dv: array<vec4f, 4u * COLS>;
  for (var h = h0; h < h0 + p.group; h++) {
    for (var y0 = x0; y0 < end; y0 += Y) {
      let row = min(y0 + me / 4u, end - 1u);
      let q_at = row * pitch + h * LANES;
      let y_at = (row * p.heads + h) * LANES;
      var s = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      var dp = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      for (var chunk = 0u; chunk < COLS * CHUNK_QUADS; chunk += CHUNK_QUADS) {
        //#use stage_x(qkv, k_at)
        //#use stage_y(qkv, q_at)
        workgroupBarrier();
        //#use products(s)
        workgroupBarrier();
        //#use stage_x(qkv, v_at)
        //#use stage_y(dout, y_at)
        workgroupBarrier();
        //#use products(dp)
        workgroupBarrier();
      }
      let queries = vec4u(y0 + tx * 4u) + vec4u(0u, 1u, 2u, 3u);
      let stat_at = min(queries, vec4u(end - 1u)) * p.heads + h;
      let log_sum = vec4f(lse[stat_at.x], lse[stat_at.y], lse[stat_at.z], lse[stat_at.w]);
      let mean = vec4f(delta[stat_at.x], delta[stat_at.y], delta[stat_at.z], delta[stat_at.w]);
      //#repeat I 4
      s[I] = select(vec4f(), exp(s[I] * p.scale - log_sum), (queries >= vec4u(j[I])) & (queries < vec4u(after[I])));
      dp[I] = s[I] * (dp[I] - mean);
      //#end
      //#use keep_tile(s)
      //#use add_tile(dv, dout, y_at)
      //#use keep_tile(dp)
      //#use add_tile(dk, qkv, q_at)
    }
  }

  //#repeat I 4
  if (x0 + ty * 4u + I <= last) {
    //#repeat C COLS
    put_y((j[I] * p.pitch + p.k0 + column) * LANES, C * CHUNK_QUADS + tx, p.scale * dk[C * 4u + I]);
    put_y((j[I] * p.pitch + p.v0 + column) * LANES, C * CHUNK_QUADS + tx, dv[C * 4u + I]);
    //#end
  }
  //#end
}
