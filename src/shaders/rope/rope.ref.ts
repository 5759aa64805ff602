// Float64 reference of rotary position embedding: one complex multiplication a pair, angles computed here.

export interface RopeRefArgs {
  /** [N, (H + 2K)·D]. */
  readonly qkv: ArrayLike<number>;
  readonly segStart: ArrayLike<number>;
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly theta: number;
  readonly past?: number;
  readonly inverse?: boolean;
}

/** qkv with its q and k heads turned. */
export function ropeRef({ qkv, segStart, rows, heads, kvHeads, headDim, theta, past = 0, inverse = false }: RopeRefArgs): Float64Array {
  const out = Float64Array.from(qkv);
  const half = headDim / 2;
  for (let n = 0; n < rows; n++) {
    const position = past + n - segStart[n];
    for (let h = 0; h < heads + kvHeads; h++) {
      for (let d = 0; d < half; d++) {
        const angle = (inverse ? -1 : 1) * position * theta ** ((-2 * d) / headDim);
        const at = (n * (heads + 2 * kvHeads) + h) * headDim + d;
        out[at] = qkv[at] * Math.cos(angle) - qkv[at + half] * Math.sin(angle);
        out[at + half] = qkv[at + half] * Math.cos(angle) + qkv[at] * Math.sin(angle);
      }
    }
  }
  return out;
}
