// Sizes that change from micro-batch to micro-batch, and the quantities that depend on them: grids of workgroups and the work of a
// dispatch.

/**
 * Sizes that change from micro-batch to micro-batch. A plan is built once for their capacity; the
 * executor computes grids from the live values and kernels read them from the frame uniform.
 */
export interface Extents {
  /** N: tokens in the micro-batch. */
  readonly rows: number;
  /** M: tokens that count toward the loss (when generating: rows whose logits are wanted). */
  readonly targets: number;
  /** Distinct token ids in the micro-batch. */
  readonly tokenGroups: number;
  /** Distinct positions in the micro-batch (learned position embeddings). */
  readonly positionGroups: number;
  /** Query-key pairs inside the causal mask of each document: the sum of t·(t+1)/2 over documents. Used only to count work. */
  readonly pairs: number;
}
type ExtentName = keyof Extents;

/** Workgroups along one dimension: a constant, or ceil(max(0, extent − from) · times / per) up to `most`. */
export type GridDim =
  | number
  | {
      readonly extent: ExtentName;
      readonly per: number;
      readonly times?: number;
      readonly from?: number;
      readonly limit?: number;
      readonly most?: number;
    };
export type Grid = readonly [GridDim, GridDim, GridDim];

/** A linear form in the extents: one + Σ coefficient·extent. For FLOPs and bytes of a dispatch. */
export type Amount = { readonly [name in ExtentName | 'one']?: number };

export interface Work {
  readonly flops: Amount;
  /** Bytes that must cross the memory bus at least once. */
  readonly bytes: Amount;
}

export function gridSize(dim: GridDim, extents: Extents): number {
  if (typeof dim === 'number') return dim;
  const live = Math.min(Math.max(0, extents[dim.extent] - (dim.from ?? 0)), dim.limit ?? Infinity);
  return Math.min(Math.ceil((live * (dim.times ?? 1)) / dim.per), dim.most ?? Infinity);
}

export function amount(form: Amount, extents: Extents): number {
  let sum = form.one ?? 0;
  for (const key of Object.keys(extents) as ExtentName[]) sum += (form[key] ?? 0) * extents[key];
  return sum;
}
