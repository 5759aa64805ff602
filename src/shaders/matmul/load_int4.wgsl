// Input OPERAND as int4 in groups of 32 (storage/storage_quantise.wgsl): 9 words hold 64 elements, the first word two scales as
// IEEE halves of 256 · scale, the others eight elements each. Every width and stride is a multiple of 32, every offset of 64.
// Addresses count quads.

@group(0) @binding(OPERAND_BINDING) var<storage, read> OPERAND: array<u32>;

// Addresses from one quad to the next.
const OPERAND_QUAD = 1u;

// Four consecutive elements from address `at`. `left` (how many are inside the row) is 4 or more here.
fn load_OPERAND(at: u32, left: u32) -> vec4f {
  let block = at / 16u * 9u;
  let quad = at % 16u;
  let scales = unpack2x16float(OPERAND[block]);
  let word = OPERAND[block + 1u + quad / 2u] >> (16u * (quad % 2u));
  let codes = vec4i(bitcast<i32>(word)) << vec4u(28u, 24u, 20u, 16u);
  return vec4f(codes >> vec4u(28u)) * (select(scales.x, scales.y, quad >= 8u) * 0x1p-8);
}
