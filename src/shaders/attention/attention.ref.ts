// Float64 reference of causal attention inside segments: softmax row by row and the textbook formula of its
// gradient, with every probability in memory. Written from the definition, not from the kernels.

interface AttentionRefSizes {
  readonly segStart: ArrayLike<number>;
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly scale: number;
}

export interface AttentionRefArgs extends AttentionRefSizes {
  /** [N, (H + 2K)·D]. */
  readonly qkv: ArrayLike<number>;
}

/** Index of the first element of a head's vector: in qkv for 'q' (by query head), 'k' and 'v' (by kv head). */
function offset({ heads, kvHeads, headDim }: AttentionRefSizes, part: 'q' | 'k' | 'v', row: number, head: number): number {
  const before = { q: 0, k: heads, v: heads + kvHeads }[part];
  return (row * (heads + 2 * kvHeads) + before + head) * headDim;
}

/** Softmax weights of query n, head h over the keys segStart[n] … n, and the log of their denominator. */
function weights(args: AttentionRefArgs, n: number, h: number): { weight: number[]; lse: number } {
  const { qkv, segStart, heads, kvHeads, headDim, scale } = args;
  const g = Math.floor(h / (heads / kvHeads));
  const scores: number[] = [];
  for (let j = segStart[n]; j <= n; j++) {
    let dot = 0;
    for (let d = 0; d < headDim; d++) dot += qkv[offset(args, 'q', n, h) + d] * qkv[offset(args, 'k', j, g) + d];
    scores.push(dot * scale);
  }
  const top = Math.max(...scores);
  const lse = top + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - top), 0));
  return { weight: scores.map((s) => Math.exp(s - lse)), lse };
}

/** o [N, H·D] and lse [N, H]. */
export function attentionRef(args: AttentionRefArgs): { o: Float64Array; lse: Float64Array } {
  const { qkv, segStart, rows, heads, kvHeads, headDim } = args;
  const o = new Float64Array(rows * heads * headDim);
  const lse = new Float64Array(rows * heads);
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads; h++) {
      const row = weights(args, n, h);
      lse[n * heads + h] = row.lse;
      row.weight.forEach((w, at) => {
        const v = offset(args, 'v', segStart[n] + at, Math.floor(h / (heads / kvHeads)));
        for (let d = 0; d < headDim; d++) o[(n * heads + h) * headDim + d] += w * qkv[v + d];
      });
    }
  }
  return { o, lse };
}

/** Gradient of Σ dout·o with respect to qkv, [N, (H + 2K)·D]. */
export function attentionBwdRef(args: AttentionRefArgs & { readonly dout: ArrayLike<number> }): Float64Array {
  const { qkv, dout, segStart, rows, heads, kvHeads, headDim, scale } = args;
  const dqkv = new Float64Array(rows * (heads + 2 * kvHeads) * headDim);
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / kvHeads));
      const dy = (n * heads + h) * headDim;
      const { weight } = weights(args, n, h);
      const dWeight = weight.map((_, at) => {
        const v = offset(args, 'v', segStart[n] + at, g);
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += dout[dy + d] * qkv[v + d];
        return dot;
      });
      // Softmax's Jacobian: ds_j = Σ_i dWeight_i · weight_i · ([i = j] − weight_j).
      const mean = weight.reduce((sum, w, at) => sum + w * dWeight[at], 0);
      weight.forEach((w, at) => {
        const ds = w * (dWeight[at] - mean) * scale;
        const q = offset(args, 'q', n, h);
        const k = offset(args, 'k', segStart[n] + at, g);
        const v = offset(args, 'v', segStart[n] + at, g);
        for (let d = 0; d < headDim; d++) {
          dqkv[q + d] += ds * qkv[k + d];
          dqkv[k + d] += ds * qkv[q + d];
          dqkv[v + d] += w * dout[dy + d];
        }
      });
    }
  }
  return dqkv;
}
