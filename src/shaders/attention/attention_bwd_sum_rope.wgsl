// Attention backward: attention_bwd_sum.wgsl and, in the same pass, the adjoint of the rotary positions (rope.wgsl): q gradients are turned
// back in place, and k gradients after they are added. V gradients are only added.
// part [N, 2H·D] (dk of every query head, then dv), dqkv [N, (H+2K)·D]; cos, sin [TABLE_ROWS, D/2]; seg_start [N]. Items of a row: a pair of V,
// half a head apart, of each of the H + K turned heads, then a V of each v head. Heads are added in order. Any even D.

@group(0) @binding(2) var<storage, read_write> dqkv: array<V>;
@group(0) @binding(3) var<storage, read> part: array<V>;
@group(0) @binding(4) var<storage, read> cos_table: array<V>;
@group(0) @binding(5) var<storage, read> sin_table: array<V>;
@group(0) @binding(6) var<storage, read> seg_start: array<u32>;

const WIDTH = HEAD_DIM / LANES;   // of a head
const HALF = WIDTH / 2u;
const GROUP = HEADS / KV_HEADS;   // query heads of a group
const PAIRS = (HEADS + KV_HEADS) * HALF;

// Of a row's k and v heads: 0 … K − 1, K … 2K − 1.
fn added(n: u32, head: u32, d: u32) -> V {
  let at = (n * 2u * HEADS + head * GROUP) * WIDTH + d;
  var sum = part[at];
  for (var h = 1u; h < GROUP; h++) { sum += part[at + h * WIDTH]; }
  return sum;
}

fn item(i: u32) {
  let n = i / (PAIRS + KV_HEADS * WIDTH);
  let of_row = i % (PAIRS + KV_HEADS * WIDTH);
  let row_at = n * (HEADS + 2u * KV_HEADS) * WIDTH;
  if (of_row >= PAIRS) {
    let head = KV_HEADS + (of_row - PAIRS) / WIDTH;
    let d = (of_row - PAIRS) % WIDTH;
    dqkv[row_at + (HEADS + head) * WIDTH + d] = added(n, head, d);
    return;
  }
  let head = of_row / HALF;
  let d = of_row % HALF;
  let at = row_at + head * WIDTH + d;
  let pos = n - seg_start[n];
  let c = cos_table[min(pos, TABLE_ROWS - 1u) * HALF + d];
  let s = sin_table[min(pos, TABLE_ROWS - 1u) * HALF + d];
  var low: V;
  var high: V;
  if (head < HEADS) {
    low = dqkv[at];
    high = dqkv[at + HALF];
  } else {
    low = added(n, head - HEADS, d);
    high = added(n, head - HEADS, d + HALF);
  }
  dqkv[at] = low * c + high * s;
  dqkv[at + HALF] = high * c - low * s;
}
