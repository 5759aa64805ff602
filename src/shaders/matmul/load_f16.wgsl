// Input OPERAND as packed IEEE halves, two per word: every width, stride and offset a multiple of 4. Addresses count
// quads.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<vec2u>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 1u;

// Bits of the f32s. Computed with integers and not with unpack2x16float, which may flush subnormal halves (below 2^-14)
// to zero.
fn widen_OPERAND(words: vec2u) -> vec4u {
  let codes = vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
  let size = codes & vec4u(0x7fffu);
  // Exponent bias 15 → 127; a subnormal is its mantissa times 2^-24. Both are exact.
  let normal = (size << vec4u(13u)) + vec4u(0x38000000u);
  let subnormal = bitcast<vec4u>(vec4f(size) * 0x1p-24);
  return select(normal, subnormal, size < vec4u(0x400u)) | ((codes & vec4u(0x8000u)) << vec4u(16u));
}

// Four consecutive elements from address `at`. `left` (how many are inside the row) is 4 or more here.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  return bitcast<vec4f>(widen_OPERAND(OPERAND[at]));
}
