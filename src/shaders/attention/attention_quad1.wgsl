// Quads of a row of SOURCE, an array of f32; 0 past the head dim.
fn SOURCE_quad(at: u32, quad: u32) -> vec4f {
  let d = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  let near = vec4u(at) + min(d, vec4u(HEAD_DIM - 1u));
  return select(vec4f(), vec4f(SOURCE[near.x], SOURCE[near.y], SOURCE[near.z], SOURCE[near.w]), d < vec4u(HEAD_DIM));
}
