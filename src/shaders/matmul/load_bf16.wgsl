// Input OPERAND as packed bfloat16, two per word: every width, stride and offset a multiple of 4. Addresses count
// quads.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<vec2u>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 1u;

// Bits of the f32s: bfloat16 is their upper half.
fn widen_OPERAND(words: vec2u) -> vec4u {
  return vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u);
}

// Four consecutive elements from address `at`. `left` (how many are inside the row) is 4 or more here.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  return bitcast<vec4f>(widen_OPERAND(OPERAND[at]));
}
