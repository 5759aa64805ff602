// Input OPERAND as single elements: f32 of any width, stride and offset. Addresses count elements.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<f32>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 4u;

// Four consecutive elements from address `at`; those from the `left`-th on are outside the row and read as 0.
// left ≥ 1. Instead of a branch, it loads the last element inside for each one outside.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  let last = left - 1u;
  let quad = vec4f(OPERAND[at], OPERAND[at + min(1u, last)], OPERAND[at + min(2u, last)], OPERAND[at + min(3u, last)]);
  return select(vec4f(), quad, vec4u(0u, 1u, 2u, 3u) < vec4u(left));
}
