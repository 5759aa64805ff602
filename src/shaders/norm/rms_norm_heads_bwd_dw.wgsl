// RMS norm of every q and k head, gradient of the two weights:
//   dw[0,d] = Σ_n Σ_{h<H} dqkv[n,h,d] · raw[n,h,d] · rstd[n,h],  dw[1,d] the same over H ≤ h < H + K;  live rows only
// dw [2, D], dqkv [N, (H+2K)·D], raw [N, (H+K)·D], rstd [N, H+K], all f32. Assigns dw where frame.accumulate is 0, else adds
// to it. Grid: x over D, y over q and k. A workgroup owns COLUMNS columns; invocation (column, slice) sums every
// SLICES-th head, one barrier, then slice 0 adds the slices in order. Any D.

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<storage, read> dqkv: array<f32>;
@group(0) @binding(4) var<storage, read> raw: array<f32>;
@group(0) @binding(5) var<storage, read> rstd: array<f32>;

// A workgroup has few columns, because a head is narrow and there are many heads.
const COLUMNS = 8u;
const SLICES = 32u;
var<workgroup> partial: array<f32, COLUMNS * SLICES>;

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) me: u32) {
  let column = group.x * COLUMNS + local.x;
  let first = select(0u, p.heads, group.y == 1u);
  let count = select(p.heads, p.kv_heads, group.y == 1u);
  let live = live_rows(EXTENT_ROWS, 0u, p.rows);
  var sum = 0.0;
  if (column < HEAD_DIM) {
    for (var i = local.y; i < live * count; i += SLICES) {
      let n = i / count;
      let h = first + i % count;
      let head = n * (p.heads + p.kv_heads) + h;
      sum += dqkv[(n * (p.heads + 2u * p.kv_heads) + h) * HEAD_DIM + column] * raw[head * HEAD_DIM + column] * rstd[head];
    }
  }
  partial[me] = sum;
  workgroupBarrier();
  if (local.y != 0u || column >= HEAD_DIM) { return; }
  var result = 0.0;
  for (var slice = 0u; slice < SLICES; slice++) { result += partial[slice * COLUMNS + local.x]; }
  let at = group.y * HEAD_DIM + column;
  if (frame.accumulate != 0u) { result += dw[at]; }
  dw[at] = result;
}
