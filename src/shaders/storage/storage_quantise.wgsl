// Weights into groups of 32 that share a scale d:  y[i] = round(x[i] / d), read back as d · y[i].
// y: blocks of 64 elements, a word with both groups' scales as IEEE halves of 256 · d, then BITS a code, lowest bits first.
// x [n] f32, n % 64 == 0.
//   BITS 8: d = max|x| / 127, codes −127 … 127.
//   BITS 4: codes −8 … 7. d = −m / c with m the element of largest magnitude, its sign kept, so that m falls on the side with
//           eight codes; c is the one of 7, 7.25, … 10 with the least squared error, which above 8 gives up a little of m.
// The scale is rounded to a half before it is used, and never to less than a normal one: it means the same on every device,
// also where halves below 2^-14 are read as zero. The factor 256 moves the scales of small weights away from there.
// One invocation a block; the grid folds into y. Assigns. BITS: 8 or 4.

struct Params {
  blocks: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read> x: array<vec4f>;

const SIZE = 64u;
const GROUP_QUADS = 8u;
const CODES_A_WORD = 32u / BITS;
const WORDS = 1u + 64u / CODES_A_WORD;
const LOWEST = select(-8.0, -127.0, BITS == 8u);
const HIGHEST = select(7.0, 127.0, BITS == 8u);

// Code of the half next to size ≥ 0, ties to even, between the smallest normal and the largest finite one.
fn half_code(size: f32) -> u32 {
  let bits = bitcast<u32>(clamp(size, 0x1p-14, 65504.0));
  return (bits - 0x38000000u + 0xfffu + ((bits >> 13u) & 1u)) >> 13u;
}

// What a code of a normal half stands for.
fn half_value(code: u32) -> f32 {
  return bitcast<f32>(((code & 0x7fffu) << 13u) + 0x38000000u);
}

fn codes_of(quad: vec4f, inverse: f32) -> vec4f {
  return clamp(round(quad * inverse), vec4f(LOWEST), vec4f(HIGHEST));
}

// Scale of the group whose first quad is x[at]: the half's code, its sign in bit 15.
fn scale_code(at: u32) -> u32 {
  var most = 0.0;   // the element of largest magnitude
  for (var i = 0u; i < GROUP_QUADS; i++) {
    let quad = x[at + i];
    for (var j = 0u; j < 4u; j++) { most = select(most, quad[j], abs(quad[j]) > abs(most)); }
  }
  if (BITS == 8u) { return half_code(abs(most) * (256.0 / 127.0)); }
  let sign = select(0x8000u, 0u, most < 0.0);
  var best = 0u;
  var least = 3.4e38;
  for (var step = 0u; step < 13u; step++) {
    let code = half_code(abs(most) * 256.0 / (7.0 + 0.25 * f32(step)));
    let scale = half_value(code) * select(0x1p-8, -0x1p-8, sign != 0u);
    let inverse = 1.0 / scale;
    var error = 0.0;
    for (var i = 0u; i < GROUP_QUADS; i++) {
      let quad = x[at + i];
      let off = quad - codes_of(quad, inverse) * scale;
      error += dot(off, off);
    }
    if (error < least) {
      least = error;
      best = sign | code;
    }
  }
  return best;
}

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let block = (group.y * 65535u + group.x) * SIZE + me;
  if (block >= p.blocks) { return; }
  let first = block * 2u * GROUP_QUADS;
  let into = block * WORDS;
  let scales = vec2u(scale_code(first), scale_code(first + GROUP_QUADS));
  y[into] = scales.x | (scales.y << 16u);
  for (var word = 0u; word + 1u < WORDS; word++) {
    let quads = CODES_A_WORD / 4u;
    var packed = 0u;
    for (var i = 0u; i < quads; i++) {
      let quad = word * quads + i;
      let code = select(scales.x, scales.y, quad >= GROUP_QUADS);
      let inverse = 1.0 / (half_value(code) * select(0x1p-8, -0x1p-8, (code & 0x8000u) != 0u));
      let codes = vec4u(vec4i(codes_of(x[first + quad], inverse))) & vec4u((1u << BITS) - 1u);
      let place = i * 4u * BITS;
      packed |= (codes.x << place) | (codes.y << (place + BITS)) | (codes.z << (place + 2u * BITS)) | (codes.w << (place + 3u * BITS));
    }
    y[into + 1u + word] = packed;
  }
}
