// Input OPERAND as int8 in groups of 32 (storage/storage_quantise.wgsl): 17 words hold 64 elements, the first word two scales as
// IEEE halves of 256 · scale, the others four elements each. Every width and stride is a multiple of 32, every offset of 64.
// Addresses count quads.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<u32>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 1u;

// Four consecutive elements from address `at`. `left` (how many are inside the row) is 4 or more here.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  let block = at / 16u * 17u;
  let quad = at % 16u;
  let scales = unpack2x16float(OPERAND[block]);
  let codes = vec4i(bitcast<i32>(OPERAND[block + 1u + quad])) << vec4u(24u, 16u, 8u, 0u);
  return vec4f(codes >> vec4u(24u)) * (select(scales.x, scales.y, quad >= 8u) * 0x1p-8);
}
