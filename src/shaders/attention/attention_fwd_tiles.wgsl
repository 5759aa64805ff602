// Causal attention inside documents, forward, family 'tiles' (attention_tile.wgsl). Maths, shapes and limits as in attention_fwd.wgsl.
// The owner's rows are queries, the others keys. Scores of a tile, their maximum over the row's eight invocations, probabilities against it,
// then o += probabilities · v. Every invocation keeps the sum of its own keys' weights; they are added at the end, in order.
// Assigns o and lse of live rows. Any head dim.

@group(0) @binding(2) var<storage, read_write> o: array<Lane>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read> qkv: array<Lane>;
@group(0) @binding(5) var<storage, read> seg_start: array<u32>;

const MASKED = -1e30;

var<workgroup> by_column: array<array<f32, X>, 8>;   // of each column of invocations, by row

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
  let first = vec4u(seg_start[n.x], seg_start[n.y], seg_start[n.z], seg_start[n.w]);
  let q_at = min(x0 + me / 2u, last) * pitch + h * LANES;

  var acc: array<vec4f, 4u * COLS>;
  var top = vec4f(MASKED);   // by row
  var sum = vec4f();
  // Documents lie in order, so the first query's document holds the first key of all.
  for (var y0 = seg_start[x0]; y0 <= last; y0 += Y) {
    let row_at = min(y0 + me / 4u, last) * pitch;
    let k_at = row_at + k_base;
    let v_at = row_at + v_base;
    var s = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
    for (var chunk = 0u; chunk < COLS * CHUNK_QUADS; chunk += CHUNK_QUADS) {
      //#use stage_x(qkv, q_at)
      //#use stage_y(qkv, k_at)
      workgroupBarrier();
      //#use products(s)
      workgroupBarrier();
    }
    let keys = vec4u(y0 + tx * 4u) + vec4u(0u, 1u, 2u, 3u);
    var high: vec4f;
    //#repeat I 4
    s[I] = select(vec4f(MASKED), s[I] * p.scale, (keys >= vec4u(first[I])) & (keys <= vec4u(n[I])));
    high[I] = max(max(s[I].x, s[I].y), max(s[I].z, s[I].w));
    by_column[tx][ty * 4u + I] = high[I];
    //#end
    workgroupBarrier();
    var new_top = top;
    //#repeat C 8
    new_top = max(new_top, vec4f(by_column[C][ty * 4u], by_column[C][ty * 4u + 1u], by_column[C][ty * 4u + 2u], by_column[C][ty * 4u + 3u]));
    //#end
    let shrink = exp(top - new_top);
    top = new_top;
    //#repeat I 4
    // A tile may hold no key of this query at all: then the maximum is MASKED too, and exp(0) would be wrong.
    s[I] = select(vec4f(), exp(s[I] - top[I]), s[I] > vec4f(0.5 * MASKED));
    sum[I] = sum[I] * shrink[I] + ((s[I].x + s[I].y) + (s[I].z + s[I].w));
    //#repeat C COLS
    acc[C * 4u + I] *= shrink[I];
    //#end
    //#end
    //#use keep_tile(s)
    //#use add_tile(acc, qkv, v_at)
  }

  //#repeat I 4
  by_column[tx][ty * 4u + I] = sum[I];
  //#end
  workgroupBarrier();
  var total = vec4f();
  //#repeat C 8
  total += vec4f(by_column[C][ty * 4u], by_column[C][ty * 4u + 1u], by_column[C][ty * 4u + 2u], by_column[C][ty * 4u + 3u]);
  //#end
  //#repeat I 4
  if (x0 + ty * 4u + I <= last) {
    //#repeat C COLS
    put_o((n[I] * p.heads + h) * LANES, C * CHUNK_QUADS + tx, acc[C * 4u + I] / total[I]);
    //#end
    if (tx == 0u) { lse[n[I] * p.heads + h] = top[I] + log(total[I]); }
  }
  //#end
}
