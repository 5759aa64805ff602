// Softmax cross entropy in plain loops and float64: the reference of the kernels' tests.

export function crossEntropyRef(logits: ArrayLike<number>, labels: ArrayLike<number>, rows: number, vocab: number, lossScale: number) {
  const losses = new Float64Array(rows);
  const dlogits = new Float64Array(rows * vocab);
  for (let r = 0; r < rows; r++) {
    let maximum = -Infinity;
    for (let v = 0; v < vocab; v++) maximum = Math.max(maximum, logits[r * vocab + v]);
    let sum = 0;
    for (let v = 0; v < vocab; v++) sum += Math.exp(logits[r * vocab + v] - maximum);
    losses[r] = maximum - logits[r * vocab + labels[r]] + Math.log(sum);
    for (let v = 0; v < vocab; v++) {
      dlogits[r * vocab + v] = (Math.exp(logits[r * vocab + v] - maximum) / sum - (v === labels[r] ? 1 : 0)) * lossScale;
    }
  }
  return { losses, dlogits };
}
