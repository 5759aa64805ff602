// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), one step over one range of parameters:
//   g' = g · clip;  m ← β1 m + (1 − β1) g';  v ← β2 v + (1 − β2) g'²
//   w ← w · (1 − lr λ) for i < decay_elements;  w ← w − (lr / bc1) · m / (√v / √bc2 + ε)
// scalars[slot] = (lr / bc1, 1 / √bc2, lr λ, 0), bc = 1 − β^step, from the host in float64; clip = stats.clip.
// w, m, v, g f32, updated in place in whole vec4s: the padding of the last one is updated too. Does nothing
// where stats.bad is set. One invocation a vec4; the grid folds into y. decay_elements % 4 == 0.

struct Params {
  steps: u32,        // vec4s
  decay_steps: u32,  // vec4s that decay
  slot: u32,
  beta1: f32,
  beta1_rest: f32,   // 1 − β1, rounded once from float64
  beta2: f32,
  beta2_rest: f32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> g: array<vec4f>;
@group(0) @binding(6) var<storage, read> scalars: array<vec4f>;
@group(0) @binding(7) var<storage, read> stats: array<f32>;

const SIZE = 256u;
const STATS_CLIP = 2u;
const STATS_BAD = 3u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let i = (group.y * 65535u + group.x) * SIZE + me;
  if (i >= p.steps || stats[STATS_BAD] != 0.0) { return; }
  let rates = scalars[p.slot];
  let grad = g[i] * stats[STATS_CLIP];
  let first = p.beta1 * m[i] + p.beta1_rest * grad;
  let second = p.beta2 * v[i] + p.beta2_rest * grad * grad;
  var weight = w[i];
  if (i < p.decay_steps) { weight *= 1.0 - rates.z; }
  m[i] = first;
  v[i] = second;
  w[i] = weight - rates.x * first / (sqrt(second) * rates.y + p.eps);
}
