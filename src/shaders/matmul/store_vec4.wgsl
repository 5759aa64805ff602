// Output y as quads: f32, width, stride and offset a multiple of 4. Addresses count quads.

@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

const Y_QUAD = 1u;

fn load_y(at: u32, left: u32) -> vec4f {
  return y[at];
}

fn store_y(at: u32, left: u32, quad: vec4f) {
  y[at] = quad;
}
