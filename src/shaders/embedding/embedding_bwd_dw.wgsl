// Embedding, gradient of a table, by groups of rows that share an id (sorted on the host):
//   dw[group_id[u], c] += scale · Σ_{k = group_start[u]}^{group_start[u+1] − 1} dx[order[k], c]
// dw [V, C], dx [N, C] f32; order [N], group_start [U+1], group_id [U] u32. Always adds: dw is cleared, or
// holds the head's part of a tied weight. Rows are added in order and ids are distinct, so it needs no atomics and
// gives the same bits every time. One workgroup: SIZE columns of V of one group (y, and z past 65,535). Any C; V is
// vec4f where C % 4 == 0. The bound range of dw holds the table's rows first … first + count − 1; other groups are left
// to the dispatch that binds their rows.

struct Params {
  steps: u32,  // items of V a row
  first: u32,
  count: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> dw: array<V>;
@group(0) @binding(3) var<storage, read> dx: array<V>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read> group_start: array<u32>;
@group(0) @binding(6) var<storage, read> group_id: array<u32>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let u = group.z * 65535u + group.y;
  let step = group.x * SIZE + me;
  if (u >= select(frame.token_groups, frame.position_groups, POSITIONS == 1u) || step >= p.steps) { return; }
  let id = group_id[u] - p.first;
  if (id >= p.count) { return; }
  var sum = V(0.0);
  for (var k = group_start[u]; k < group_start[u + 1u]; k++) { sum += dx[order[k] * p.steps + step]; }
  dw[id * p.steps + step] += p.scale * sum;
}
