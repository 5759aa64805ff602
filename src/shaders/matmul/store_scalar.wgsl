// Output y as single elements: f32 of any width, stride and offset. Addresses count elements; of a quad only
// the first `left` (≥ 1) elements are inside the row and written.

@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const Y_QUAD = 4u;

fn load_y(at: u32, left: u32) -> vec4f {
  let last = left - 1u;
  let quad = vec4f(y[at], y[at + min(1u, last)], y[at + min(2u, last)], y[at + min(3u, last)]);
  return select(vec4f(), quad, vec4u(0u, 1u, 2u, 3u) < vec4u(left));
}

fn store_y(at: u32, left: u32, quad: vec4f) {
  y[at] = quad.x;
  if (left > 1u) { y[at + 1u] = quad.y; }
  if (left > 2u) { y[at + 2u] = quad.z; }
  if (left > 3u) { y[at + 3u] = quad.w; }
}
