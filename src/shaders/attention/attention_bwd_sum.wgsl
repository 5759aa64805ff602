// Attention backward: the gradients of keys and values that each query head has made, added for the kv head that they share.
//   dqkv[n, H + g, d] = Σ_{h of group g} part[n, h, d]     dqkv[n, H + K + g, d] = Σ_{h of group g} part[n, H + h, d]
// part [N, 2H·D] (dk of every query head, then dv), dqkv [N, (H+2K)·D]. An item is one V of a row's 2K heads; heads are added in order.
// Assigns the k and v parts of dqkv's live rows. Any head dim.

@group(0) @binding(2) var<storage, read_write> dqkv: array<V>;
@group(0) @binding(3) var<storage, read> part: array<V>;

const WIDTH = HEAD_DIM / LANES;   // of a head
const GROUP = HEADS / KV_HEADS;   // query heads of a group

fn item(i: u32) {
  let n = i / (2u * KV_HEADS * WIDTH);
  let head = i / WIDTH % (2u * KV_HEADS);   // 0 … K − 1: of k; K … 2K − 1: of v
  let d = i % WIDTH;
  let part_at = (n * 2u * HEADS + head * GROUP) * WIDTH + d;
  var sum = part[part_at];
  for (var h = 1u; h < GROUP; h++) { sum += part[part_at + h * WIDTH]; }
  dqkv[(n * (HEADS + 2u * KV_HEADS) + HEADS + head) * WIDTH + d] = sum;
}
