// AdamW as in adamw.wgsl, with m and v in 8 bits, by blocks of 256 elements that share a scale (after Dettmers et al. 2022,
// 8-bit Optimizers via Block-wise Quantization, arXiv 2110.02861). Codes are companded, since both moments span decades:
//   |m| = M · expand(|c| / 127), M the largest |m| of the block;   √v = S · expand(c / 255), S the largest √v;
//   expand(t) = (e^(8t) − 1) / (e^8 − 1): 6 % apart at the top for m, 3 % for √v, and near 0 a 3,000th of that.
// Rounded to nearest: over a period that costs less than dither does (docs/decisions.md). v of a gradient that was seen never
// becomes 0: its update would be m / ε.
// m, v: a block is 65 words, the scale as f32 bits and 64 words of four codes. A block of zeros is zeros.
// w, g [n] f32. One workgroup a block, one invocation a vec4; the grid folds into y. decay_elements % 4 == 0. Nothing is written where
// stats.bad is set. Workgroup memory: 512 bytes.

struct Params {
  elements: u32,     // of w and g
  decay_steps: u32,  // vec4s that decay
  slot: u32,
  beta1: f32,
  beta1_rest: f32,   // 1 − β1, rounded once from float64
  beta2: f32,
  beta2_rest: f32,
  eps: f32,
  blocks: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<u32>;
@group(0) @binding(4) var<storage, read_write> v: array<u32>;
@group(0) @binding(5) var<storage, read> g: array<vec4f>;
@group(0) @binding(6) var<storage, read> scalars: array<vec4f>;
@group(0) @binding(7) var<storage, read> stats: array<f32>;

const SIZE = 64u;
const STATS_CLIP = 2u;
const STATS_BAD = 3u;

// The largest |m| and √v of each invocation.
var<workgroup> largest: array<vec2f, 64>;

const RANGE = 2980.958;  // e^8

fn expand(t: vec4f) -> vec4f {
  return (exp(8.0 * t) - 1.0) / (RANGE - 1.0);
}

fn compress(x: vec4f) -> vec4f {
  return log(1.0 + clamp(x, vec4f(), vec4f(1.0)) * (RANGE - 1.0)) / 8.0;
}

fn most(quad: vec4f) -> f32 {
  return max(max(quad.x, quad.y), max(quad.z, quad.w));
}

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let block = group.y * 65535u + group.x;
  if (block >= p.blocks || stats[STATS_BAD] != 0.0) { return; }
  let i = block * SIZE + me;
  let quads = (p.elements + 3u) / 4u;
  let inside = i < quads;
  let at = block * 65u;
  let m_codes = vec4f((vec4i(bitcast<i32>(m[at + 1u + me])) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u)) / 127.0;
  let v_codes = vec4f((vec4u(v[at + 1u + me]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u)) / 255.0;
  let m_before = sign(m_codes) * expand(abs(m_codes)) * bitcast<f32>(m[at]);
  let root_before = expand(v_codes) * bitcast<f32>(v[at]);

  let rates = scalars[p.slot];
  // Padding adds nothing to a block's scale, whatever it holds.
  let held = 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(p.elements);
  let grad = select(vec4f(), g[min(i, quads - 1u)] * stats[STATS_CLIP], held);
  let first = p.beta1 * m_before + p.beta1_rest * grad;
  let root = sqrt(p.beta2 * root_before * root_before + p.beta2_rest * grad * grad);
  if (inside) {
    var weight = w[i];
    if (i < p.decay_steps) { weight *= 1.0 - rates.z; }
    w[i] = weight - rates.x * first / (root * rates.y + p.eps);
  }

  largest[me] = vec2f(most(abs(first)), most(root));
  workgroupBarrier();
  var scale = vec2f();
  for (var lane = 0u; lane < SIZE; lane++) { scale = max(scale, largest[lane]); }
  // A block of zeros has scale 0: its codes are 0 whatever they are divided by.
  let by = select(scale, vec2f(1.0), scale == vec2f());
  let m_size = round(127.0 * compress(abs(first) / by.x));
  let v_size = round(255.0 * compress(root / by.y));
  let m_out = vec4u(vec4i(sign(first) * m_size)) & vec4u(255u);
  let v_out = vec4u(max(v_size, select(vec4f(), vec4f(1.0), root > vec4f())));
  m[at + 1u + me] = m_out.x | (m_out.y << 8u) | (m_out.z << 16u) | (m_out.w << 24u);
  v[at + 1u + me] = v_out.x | (v_out.y << 8u) | (v_out.z << 16u) | (v_out.w << 24u);
  // All have read the scales before the barrier.
  if (me == 0u) {
    m[at] = bitcast<u32>(scale.x);
    v[at] = bitcast<u32>(scale.y);
  }
}
