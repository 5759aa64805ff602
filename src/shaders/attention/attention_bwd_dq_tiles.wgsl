// Attention backward, gradient of the queries, family 'tiles' (attention_tile.wgsl). Maths and shapes as in attention_bwd_dq.wgsl, and
//   delta[n,h] = Σ_d dout[n,h,d] · o[n,h,d], which dK and dV read after this.
// The owner's rows are queries, the others keys. Scores and dP of a tile, dS, then dq += dS · k.
// Assigns the q part of dqkv's live rows, and delta. Any head dim.

@group(0) @binding(2) var<storage, read_write> dqkv: array<Lane>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;
@group(0) @binding(4) var<storage, read> dout: array<Lane>;
@group(0) @binding(5) var<storage, read> qkv: array<Lane>;
@group(0) @binding(6) var<storage, read> o: array<Lane>;
@group(0) @binding(7) var<storage, read> lse: array<f32>;
@group(0) @binding(8) var<storage, read> seg_start: array<u32>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let x0 = p.row0 + group.x * X;
  let h = p.head0 + group.y;
  let rows = live_rows(EXTENT_ROWS, 0u, p.rows);
  if (x0 >= rows) { return; }
  let last = min(x0 + X, rows) - 1u;
  let pitch = (p.heads + 2u * p.kv_heads) * LANES;
  let k_base = (p.heads + h / (p.heads / p.kv_heads)) * LANES;
  let v_base = k_base + p.kv_heads * LANES;
  let ty = me / 8u;
  let tx = me % 8u;
  let n = min(vec4u(x0 + ty * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(last));
  let stat_at = n * p.heads + h;
  let first = vec4u(seg_start[n.x], seg_start[n.y], seg_start[n.z], seg_start[n.w]);
  let log_sum = vec4f(lse[stat_at.x], lse[stat_at.y], lse[stat_at.z], lse[stat_at.w]);
  let staged = min(x0 + me / 2u, last);
  let q_at = staged * pitch + h * LANES;
  let y_at = (staged * p.heads + h) * LANES;

  // delta of the tile's rows: eight invocations a row, added in order.
  var part = vec4f();
  //#repeat I 4
  for (var quad = tx; quad < COLS * CHUNK_QUADS; quad += 8u) {
    part[I] += dot(dout_quad(stat_at[I] * LANES, quad), o_quad(stat_at[I] * LANES, quad));
  }
  tile_x[tx][ty * 4u + I] = part[I];
  //#end
  workgroupBarrier();
  var mean = vec4f();
  //#repeat C 8
  mean += vec4f(tile_x[C][ty * 4u], tile_x[C][ty * 4u + 1u], tile_x[C][ty * 4u + 2u], tile_x[C][ty * 4u + 3u]);
  //#end
  //#repeat I 4
  if (tx == 0u && x0 + ty * 4u + I <= last) { delta[stat_at[I]] = mean[I]; }
  //#end
  workgroupBarrier();

  var acc: array<vec4f, 4u * COLS>;
  // Documents lie in order, so the first query's document holds the first key of all.
  for (var y0 = seg_start[x0]; y0 <= last; y0 += Y) {
    let row_at = min(y0 + me / 4u, last) * pitch;
    let k_at = row_at + k_base;
    let v_at = row_at + v_base;
    var s = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
    var dp = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
    for (var chunk = 0u; chunk < COLS * CHUNK_QUADS; chunk += CHUNK_QUADS) {
      //#use stage_x(qkv, q_at)
      //#use stage_y(qkv, k_at)
      workgroupBarrier();
      //#use products(s)
      workgroupBarrier();
      //#use stage_x(dout, y_at)
      //#use stage_y(qkv, v_at)
      workgroupBarrier();
      //#use products(dp)
      workgroupBarrier();
    }
    let keys = vec4u(y0 + tx * 4u) + vec4u(0u, 1u, 2u, 3u);
    //#repeat I 4
    s[I] = select(vec4f(), exp(s[I] * p.scale - log_sum[I]) * (dp[I] - mean[I]), (keys >= vec4u(first[I])) & (keys <= vec4u(n[I])));
    //#end
    //#use keep_tile(s)
    //#use add_tile(acc, qkv, k_at)
  }

  //#repeat I 4
  if (x0 + ty * 4u + I <= last) {
    //#repeat C COLS
    put_dqkv(n[I] * pitch + h * LANES, C * CHUNK_QUADS + tx, p.scale * acc[C * 4u + I]);
    //#end
  }
  //#end
}
