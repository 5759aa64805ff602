// Fewer points that look the same: each bucket of a series keeps its lowest and its highest, so a spike of one
// step stays on the chart. Pure.

/** Indices to draw, ascending, at most `limit` (≥ 4) of them; the first and the last are always there. */
export function decimate(values: ArrayLike<number>, limit: number): number[] {
  const count = values.length;
  if (count <= limit) return Array.from({ length: count }, (_, i) => i);
  const buckets = Math.floor((limit - 2) / 2);
  const kept: number[] = [0];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = 1 + Math.floor((bucket * (count - 2)) / buckets);
    const to = 1 + Math.floor(((bucket + 1) * (count - 2)) / buckets);
    kept.push(...extremes(values, from, to));
  }
  kept.push(count - 1);
  return kept;
}

/** Indices of the lowest and the highest value of [from, to), in order. A value that is no number is shown as such. */
function extremes(values: ArrayLike<number>, from: number, to: number): number[] {
  let low = from;
  let high = from;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (Number.isNaN(value)) return [i];
    if (value < values[low]) low = i;
    if (value > values[high]) high = i;
  }
  if (low === high) return [low];
  return low < high ? [low, high] : [high, low];
}
