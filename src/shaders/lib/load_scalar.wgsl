// Input OPERAND as single elements: f32 of any width, stride and offset. Addresses count elements.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<f32>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 4u;

// Four consecutive elements from address `at`; those from the `left`-th on are outside the row: not read, 0.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  var quad = vec4f();
  if (left > 0u) { quad.x = OPERAND[at]; }
  if (left > 1u) { quad.y = OPERAND[at + 1u]; }
  if (left > 2u) { quad.z = OPERAND[at + 2u]; }
  if (left > 3u) { quad.w = OPERAND[at + 3u]; }
  return quad;
}
