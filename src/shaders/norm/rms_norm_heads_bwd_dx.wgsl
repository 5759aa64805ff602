// RMS norm of every q and k head, gradient of its input, in place in the gradient of q, k, v. With x̂ = raw · rstd[n,h],
// g = dy · (OFFSET + w) of the head's kind:
//   dqkv[n,h,d] ← rstd[n,h] · (g[n,h,d] − x̂[n,h,d] · Σ_j g[n,h,j] x̂[n,h,j] / D)   for h < H + K
// dqkv [N, (H+2K)·D], holds dy before and dx after; its v heads stay; raw [N, (H+K)·D], rstd [N, H+K], w [2, D], all
// f32. Live rows only. Grid: x over rows, y over the H + K heads; one workgroup a head, one barrier. Any D; V is vec4f
// where D % 4 == 0.

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dqkv: array<V>;
@group(0) @binding(3) var<storage, read> raw: array<V>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
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
  var products = V(0.0);
  for (var d = me; d < STEPS; d += SIZE) { products += dqkv[base + d] * gain(weights + d) * raw[head * STEPS + d]; }
  partial[me] = total(products);
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  let scale = rstd[head];
  // One rstd belongs to x̂ inside the mean, the other to x̂ outside it.
  let along = sum / f32(HEAD_DIM) * scale * scale;
  for (var d = me; d < STEPS; d += SIZE) {
    dqkv[base + d] = scale * (dqkv[base + d] * gain(weights + d) - raw[head * STEPS + d] * along);
  }
}
