// Partial sums of squares of one gradient range:  partials[at + k] = Σ x[i]²,  i over the vec4s k·SIZE … of
// every GROUPS·SIZE. x f32 of p.elements elements, read in whole vec4s, the padding masked off. Assigns.
// p.groups workgroups: each invocation sums its strided share, one barrier, then one adds them in order.

struct Params {
  elements: u32,
  at: u32,
  groups: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<vec4f>;

const SIZE = 128u;
var<workgroup> partial: array<f32, SIZE>;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let whole = p.elements / 4u;
  var squares = vec4f(0.0);
  for (var i = group.x * SIZE + me; i < whole; i += p.groups * SIZE) { squares += x[i] * x[i]; }
  let rest = p.elements % 4u;
  if (rest != 0u && group.x == 0u && me == 0u) {
    let tail = select(vec4f(0.0), x[whole], vec4u(0u, 1u, 2u, 3u) < vec4u(rest));
    squares += tail * tail;
  }
  partial[me] = dot(squares, vec4f(1.0));
  workgroupBarrier();
  if (me != 0u) { return; }
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) { sum += partial[i]; }
  partials[p.at + group.x] = sum;
}
