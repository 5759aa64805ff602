// Embedding.  x[n,c] = scale · table[tokens[n], c] (+ positions[n − seg_start[n] + frame.past, c])
// x [N, C], table [V, C], positions [P, C] f32; tokens, seg_start [N] u32. Assigns the live rows. The table may be packed
// in 16 bits if C % 4 == 0; table_at comes from embedding_table.wgsl or reads packed quads. position_part comes from
// embedding_positions.wgsl, or is zero. Elementwise: one invocation takes REPEAT items of V, SIZE apart. Any C; V is
// vec4f where C % 4 == 0. Ids and positions must be inside the tables: the host checks them, because the GPU would read
// some other row. The bound range holds the table's rows first … first + count − 1: rows of x with another id are left
// to the dispatch that binds that id's row.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,  // items of V a row
  first: u32,
  count: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> x: array<V>;
@group(0) @binding(3) var<storage, read> tokens: array<u32>;

const SIZE = 64u;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let end = live_rows(p.extent, p.row0, p.rows) * p.steps;
  for (var k = 0u; k < REPEAT; k++) {
    let i = (group.x * REPEAT + k) * SIZE + me;
    if (i < end) {
      let row = i / p.steps;
      let step = i % p.steps;
      let id = tokens[row] - p.first;
      if (id < p.count) { x[i] = p.scale * table_at(id * p.steps + step) + position_part(row, step); }
    }
  }
}
