// Softmax cross entropy of one chunk of target rows, and its gradient in place. With t = row0 + r:
//   losses[t] = log Σ_v e^logits[r,v] − logits[r, labels[t]]
//   train: logits[r,v] ← (e^logits[r,v] / Σ − [v == labels[t]]) · frame.loss_scale
//          and · scale, by which they had been multiplied,
//          and · (1 − (logits[r,v] / cap)²) if CAPPED: logits that went through softcap.wgsl, whose gradient in its input this is
// logits [rows, V], losses [M] f32, labels [M] u32. Assigns losses (and logits) of the live rows.
// One workgroup a row. Each invocation keeps a running maximum and sum (Milakov & Gimelshein 2018) over its
// own columns, one barrier, then all merge them in the same order; the second sweep visits the same columns,
// so no invocation reads what another writes. Any vocabulary; the type V is vec4f where rows are whole vec4s: then INSIDE says how many
// elements of the last one are logits, and the padding behind them gets gradients of 0.
// A label must be below the vocabulary size; the host checks that. A row with a logit that is not finite has an
// infinite loss. The kernel finds it by its bits, because exp and max of some devices turn a NaN into a number.

struct Params {
  rows: u32,
  extent: u32,
  row0: u32,
  steps: u32,   // of V in a row
  cap: f32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> logits: array<V>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read> labels: array<u32>;

var<workgroup> partial: array<vec2f, SIZE>;  // maximum, and sum of e^(logit − maximum); −1 for broken

// Padding does not count: its e^(value − maximum) is 0.
fn inside(value: V, c: u32) -> V {
  if (INSIDE == LANES || c + 1u < p.steps) { return value; }
  return first(value, INSIDE, V(-1e30));
}

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= live_rows(p.extent, p.row0, p.rows)) { return; }
  let steps = p.steps;
  let base = row * steps;
  let label = labels[p.row0 + row];
  let label_step = label / LANES;

  // The start is finite: its e^(start − logit) is 0, and no infinity is ever subtracted from another.
  var highest = V(-1e30);
  var sums = V(0.0);
  var wanted = 0.0;
  var broken = false;
  for (var c = me; c < steps; c += SIZE) {
    let value = inside(logits[base + c], c);
    broken = broken || any_not_finite(value);
    let e = exp(-abs(value - highest));
    sums = select(sums * e + 1.0, sums + e, value <= highest);
    highest = max(highest, value);
    if (c == label_step) { wanted = total(only(value, label % LANES)); }
  }
  let own = largest(highest);
  partial[me] = vec2f(own, select(total(sums * exp(highest - V(own))), -1.0, broken));
  workgroupBarrier();
  var maximum = partial[0].x;
  for (var i = 1u; i < SIZE; i++) { maximum = max(maximum, partial[i].x); }
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) {
    broken = broken || partial[i].y < 0.0;
    sum += partial[i].y * exp(partial[i].x - maximum);
  }

  if (me == label_step % SIZE) {
    let infinity = bitcast<f32>(select(0u, 0x7f800000u, broken));
    losses[p.row0 + row] = select((maximum - wanted) + log(sum), infinity, broken);
  }
  if (TRAIN == 1u) {
    let scale = frame.loss_scale / sum;
    for (var c = me; c < steps; c += SIZE) {
      let logit = logits[base + c];
      var value = exp(inside(logit, c) - V(maximum)) * scale;
      if (c == label_step) { value -= only(V(frame.loss_scale), label % LANES); }
      if (CAPPED == 1u) { value *= 1.0 - (logit / p.cap) * (logit / p.cap); }
      logits[base + c] = p.scale * value;
    }
  }
}
