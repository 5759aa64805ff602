// y[i] = x[i] rounded to nearest, ties to even, with subnormals: used when a layer leaves training.
// y [n] packed f16 or bf16, two per word; x [n] f32, read as words. n % 4 == 0. A value that would round to infinity
// becomes the largest finite number of its sign: one infinite weight makes every loss NaN. NaN stays NaN. BF16: 1 for
// bfloat16, 0 for IEEE halves. One invocation a quad; the grid folds into y. Assigns.

struct Params {
  steps: u32,  // quads
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<vec2u>;
@group(0) @binding(3) var<storage, read> x: array<vec4u>;

const SIZE = 256u;

fn half_code(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return sign | 0x7e00u | ((size >> 13u) & 0x3ffu); }
  // 65,520 lies halfway between the largest half and the next power of two.
  if (size >= 0x477ff000u) { return sign | 0x7bffu; }
  // From 2^-14 up: just under half a unit, and the last kept bit for ties; the carry may bump the exponent.
  if (size >= 0x38800000u) { return sign | ((size - 0x38000000u + 0xfffu + ((size >> 13u) & 1u)) >> 13u); }
  // Up to 2^-25, which is half the smallest subnormal and a tie with the even zero, it rounds to zero.
  if (size <= 0x33000000u) { return sign; }
  let shift = 126u - (size >> 23u);
  let mantissa = (size & 0x7fffffu) | 0x800000u;
  let kept = mantissa >> shift;
  let rest = mantissa & ((1u << shift) - 1u);
  let half = 1u << (shift - 1u);
  return sign | (kept + select(0u, 1u, rest > half || (rest == half && (kept & 1u) == 1u)));
}

fn bfloat_code(bits: u32) -> u32 {
  let size = bits & 0x7fffffffu;
  // Rounding could carry a NaN's mantissa into infinity or zero, so a NaN is cut and made quiet.
  if (size > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  if (size >= 0x7f7f8000u) { return ((bits >> 16u) & 0x8000u) | 0x7f7fu; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

fn code(bits: u32) -> u32 {
  if (BF16 == 1u) { return bfloat_code(bits); }
  return half_code(bits);
}

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let i = (group.y * 65535u + group.x) * SIZE + me;
  if (i >= p.steps) { return; }
  let bits = x[i];
  y[i] = vec2u(code(bits.x) | (code(bits.y) << 16u), code(bits.z) | (code(bits.w) << 16u));
}
