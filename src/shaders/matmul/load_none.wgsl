// Input OPERAND is absent: no binding, and zeros that the compiler folds away.

const OPERAND_QUAD = 0u;

fn load_OPERAND(at: u32, left: u32) -> vec4f {
  return vec4f();
}
