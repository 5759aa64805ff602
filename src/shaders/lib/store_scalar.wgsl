// Output y as single elements: f32 of any width, stride and offset. Addresses count elements; of a quad only
// the first `left` elements are inside the row and touched.

@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const Y_QUAD = 4u;

fn load_y(at: u32, left: u32) -> vec4f {
  var quad = vec4f();
  if (left > 0u) { quad.x = y[at]; }
  if (left > 1u) { quad.y = y[at + 1u]; }
  if (left > 2u) { quad.z = y[at + 2u]; }
  if (left > 3u) { quad.w = y[at + 3u]; }
  return quad;
}

fn store_y(at: u32, left: u32, quad: vec4f) {
  if (left > 0u) { y[at] = quad.x; }
  if (left > 1u) { y[at + 1u] = quad.y; }
  if (left > 2u) { y[at + 2u] = quad.z; }
  if (left > 3u) { y[at + 3u] = quad.w; }
}
