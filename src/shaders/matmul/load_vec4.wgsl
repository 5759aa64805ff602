// Input OPERAND as quads: f32, every width, stride and offset a multiple of 4. Addresses count quads.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<vec4f>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 1u;

// Four consecutive elements from address `at`. `left` (how many are inside the row) is 4 or more here.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  return OPERAND[at];
}
