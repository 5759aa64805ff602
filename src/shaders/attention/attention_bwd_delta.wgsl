// Attention backward, first part: what the gradient of the softmax subtracts.
//   delta[n,h] = Σ_d dout[n,h,d] · o[n,h,d]   ( = Σ_j P[n,h,j] · dP[n,h,j] )
// dout, o [N, H·D], delta [N, H]. One invocation does one (n, h). Assigns delta of live rows.
struct Params {
  rows: u32,
  heads: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> delta: array<f32>;
@group(0) @binding(3) var<storage, read> dout: array<Lane>;
@group(0) @binding(4) var<storage, read> o: array<Lane>;

const LANES = HEAD_DIM / LANE_WIDTH;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= live_rows(EXTENT_ROWS, 0u, p.rows) * p.heads) { return; }
  var sum = 0.0;
  for (var d = 0u; d < LANES; d++) { sum += lane_dot(dout[id.x * LANES + d], o[id.x * LANES + d]); }
  delta[id.x] = sum;
}
