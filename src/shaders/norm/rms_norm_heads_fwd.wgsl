// RMS norm of every q and k head, in place in the fused q, k, v activation; q heads share one weight, k heads another.
//   for h < H + K, with g = 0 where h < H, else 1:
//   rstd[n,h] = 1 / sqrt(Σ_d x[n,h,d]² / D + eps);  raw[n,h,d] = x[n,h,d];  x[n,h,d] ← x[n,h,d] · rstd[n,h] · (OFFSET + w[g,d])
// qkv [N, (H+2K)·D]; its v heads stay; raw [N, (H+K)·D], rstd [N, H+K], w [2, D], all f32. Live rows only.
// Grid: x over rows, y over the H + K heads; one workgroup a head, one barrier. Any D; V is vec4f where D % 4 == 0.

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> qkv: array<V>;
@group(0) @binding(3) var<storage, read_write> raw: array<V>;
@group(0) @binding(4) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(5) var<storage, read> w: array<V>;

fn gain(c: u32) -> V {
  if (OFFSET == 1u) { return 1.0 + w[c]; }
  return w[c];
}

const STEPS = HEAD_DIM / LANES;
const SIZE = 32u;
var<workgroup> partial: array<f32, SIZE>;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let n = group.x;
  let h = group.y;
  if (n >= live_rows(EXTENT_ROWS, 0u, p.rows)) { return; }
  let base = (n * (p.heads + 2u * p.kv_heads) + h) * STEPS;
  let head = n * (p.heads + p.kv_heads) + h;
  let weights = select(0u, STEPS, h >= p.heads);
  var squares = V(0.0);
  for (var d = me; d < STEPS; d += SIZE) {
    let value = qkv[base + d];
    squares += value * value;
  }
  partial[me] = total(squares);
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  let scale = 1.0 / sqrt(sum / f32(HEAD_DIM) + p.eps);
  if (me == 0u) { rstd[head] = scale; }
  for (var d = me; d < STEPS; d += SIZE) {
    let value = qkv[base + d];
    raw[head * STEPS + d] = value;
    qkv[base + d] = value * scale * gain(weights + d);
  }
}
