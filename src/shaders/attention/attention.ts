// Attention of the training step: causal, inside segments, grouped query heads, no T×T tensor. The forward keeps
// o and the log-sum-exp of the scores; the backward recomputes the probabilities from it (FlashAttention,
// arXiv 2205.14135). A micro-batch is one stream of N tokens; segStart and segEnd (u32 [N]) say for each token
// where its segment starts and one past where it ends. Generation is in attention_cached.ts.

import type { Amount, Grid, Work } from '../../dispatch/extents';
import bwdDeltaWgsl from './attention_bwd_delta.wgsl?raw';
import bwdDkvWgsl from './attention_bwd_dkv.wgsl?raw';
import bwdDkvSharedWgsl from './attention_bwd_dkv_shared.wgsl?raw';
import bwdDqWgsl from './attention_bwd_dq.wgsl?raw';
import bwdDqSharedWgsl from './attention_bwd_dq_shared.wgsl?raw';
import fwdWgsl from './attention_fwd.wgsl?raw';
import fwdSharedWgsl from './attention_fwd_shared.wgsl?raw';
import paramsWgsl from './attention_params.wgsl?raw';
import tilesWgsl from './attention_tiles.wgsl?raw';
import { headLayout, laneSource, type HeadSizes } from './attention_layout';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import type { Dispatch, View, Kernel } from '../../dispatch/types';

export { attentionCached, cacheAppend } from './attention_cached';

/**
 * Two ways to the same result (up to rounding). 'register': one invocation per query (or key) and no barrier; for
 * software adapters. 'shared': 32×32 tiles of scores, which invocations pass to each other through workgroup memory;
 * fewer reads and registers per product, meant for real GPUs (not measured on one yet). Buffers are the same for both.
 */
export type AttentionFamily = 'register' | 'shared';

interface CommonArgs extends HeadSizes {
  readonly label: string;
  /** Capacity: the largest N. */
  readonly rows: number;
  readonly family?: AttentionFamily;
  /** [first, count] of the heads that this dispatch computes (for dK and dV: kv heads). Default: all. */
  readonly range?: readonly [number, number];
}

export interface AttentionFwdArgs extends CommonArgs {
  /** [N, H·D], assigned. */
  readonly o: View;
  /** [N, H], assigned: natural log of Σ exp(scaled score). */
  readonly lse: View;
  /** [N, (H + 2K)·D]: q heads, k heads, v heads. */
  readonly qkv: View;
  readonly segStart: View;
  /** Factor on the scores, usually 1/√D. */
  readonly scale: number;
}

export interface AttentionBwdDeltaArgs extends Omit<CommonArgs, 'family' | 'kvHeads' | 'range'> {
  /** [N, H], assigned: Σ_d dout·o. */
  readonly delta: View;
  readonly dout: View;
  readonly o: View;
}

interface BackwardArgs extends CommonArgs {
  /** [N, (H + 2K)·D], its range assigned. */
  readonly dqkv: View;
  /** Gradient of o, [N, H·D]. */
  readonly dout: View;
  readonly qkv: View;
  readonly lse: View;
  readonly delta: View;
  readonly scale: number;
}

export interface AttentionBwdDqArgs extends BackwardArgs {
  readonly segStart: View;
}

export interface AttentionBwdDkvArgs extends BackwardArgs {
  readonly segEnd: View;
}

/** o and lse of the live rows. Throws SHAPE_MISMATCH. */
export function attentionFwd(args: AttentionFwdArgs): Dispatch {
  const { label, o, lse, qkv, segStart, rows, heads, kvHeads, headDim, scale, family = 'register', range = [0, heads] } = args;
  const name = 'attention_fwd';
  const { width, outWidth } = headLayout(name, args);
  expectElements(name, 'o', o, rows * outWidth);
  expectElements(name, 'lse', lse, rows * heads);
  expectElements(name, 'qkv', qkv, rows * width);
  expectElements(name, 'seg_start', segStart, rows);
  return dispatch(
    familyKernel(name, family, headDim, family === 'shared' ? fwdSharedWgsl : fwdWgsl),
    label,
    { o, lse, qkv, seg_start: segStart },
    { rows, heads, kv_heads: kvHeads, scale, head0: range[0] },
    tiles(family, range[1]),
    share(range, heads, 4 * outWidth, width + outWidth + heads + 1),
  );
}

/** delta of the live rows, which both other backward kernels read. Throws SHAPE_MISMATCH. */
export function attentionBwdDelta({ label, delta, dout, o, rows, heads, headDim }: AttentionBwdDeltaArgs): Dispatch {
  const name = 'attention_bwd_delta';
  const { outWidth } = headLayout(name, { heads, kvHeads: heads, headDim });
  expectElements(name, 'delta', delta, rows * heads);
  expectElements(name, 'dout', dout, rows * outWidth);
  expectElements(name, 'o', o, rows * outWidth);
  return dispatch(
    kernel(name, [laneSource(headDim).wgsl, bwdDeltaWgsl], { HEAD_DIM: headDim }),
    label,
    { delta, dout, o },
    { rows, heads },
    [{ extent: 'rows', per: 64, times: heads }, 1, 1],
    { flops: { rows: 2 * outWidth }, bytes: rowBytes(2 * outWidth + heads) },
  );
}

/** The q range of dqkv for the live rows. Throws SHAPE_MISMATCH. */
export function attentionBwdDq(args: AttentionBwdDqArgs): Dispatch {
  const {
    label,
    dqkv,
    dout,
    qkv,
    lse,
    delta,
    segStart,
    rows,
    heads,
    kvHeads,
    headDim,
    scale,
    family = 'register',
    range = [0, heads],
  } = args;
  const name = 'attention_bwd_dq';
  const { width, outWidth } = expectBackward(name, args);
  expectElements(name, 'seg_start', segStart, rows);
  return dispatch(
    familyKernel(name, family, headDim, family === 'shared' ? bwdDqSharedWgsl : bwdDqWgsl),
    label,
    { dqkv, dout, qkv, lse, delta, seg_start: segStart },
    { rows, heads, kv_heads: kvHeads, scale, head0: range[0] },
    tiles(family, range[1]),
    share(range, heads, 6 * outWidth, width + 2 * outWidth + 2 * heads + 1),
  );
}

/** The k and v parts of dqkv for the live rows, summed over the query heads of each group. Throws SHAPE_MISMATCH. */
export function attentionBwdDkv(args: AttentionBwdDkvArgs): Dispatch {
  const {
    label,
    dqkv,
    dout,
    qkv,
    lse,
    delta,
    segEnd,
    rows,
    heads,
    kvHeads,
    headDim,
    scale,
    family = 'register',
    range = [0, kvHeads],
  } = args;
  const name = 'attention_bwd_dkv';
  const { width, outWidth } = expectBackward(name, args);
  expectElements(name, 'seg_end', segEnd, rows);
  return dispatch(
    familyKernel(name, family, headDim, family === 'shared' ? bwdDkvSharedWgsl : bwdDkvWgsl),
    label,
    { dqkv, dout, qkv, lse, delta, seg_end: segEnd },
    { rows, heads, kv_heads: kvHeads, scale, head0: range[0] },
    tiles(family, range[1]),
    share(range, kvHeads, 8 * outWidth, width + outWidth + 2 * kvHeads * headDim + 2 * heads + 1),
  );
}

function expectBackward(name: string, args: BackwardArgs): { width: number; outWidth: number } {
  const { dqkv, dout, qkv, lse, delta, rows, heads } = args;
  const { width, outWidth } = headLayout(name, args);
  expectElements(name, 'dqkv', dqkv, rows * width);
  expectElements(name, 'dout', dout, rows * outWidth);
  expectElements(name, 'qkv', qkv, rows * width);
  expectElements(name, 'lse', lse, rows * heads);
  expectElements(name, 'delta', delta, rows * heads);
  return { width, outWidth };
}

const familyKernel = (name: string, family: AttentionFamily, headDim: number, wgsl: string): Kernel =>
  kernel(name, [laneSource(headDim).wgsl, paramsWgsl, ...(family === 'shared' ? [tilesWgsl] : []), wgsl], { HEAD_DIM: headDim }, family);

/** Rows that a workgroup computes: the workgroup size of 'register' and TILE of 'shared'. */
const ROWS_PER_GROUP: Record<AttentionFamily, number> = { register: 64, shared: 32 };

const tiles = (family: AttentionFamily, heads: number): Grid => [{ extent: 'rows', per: ROWS_PER_GROUP[family] }, heads, 1];

/** The work for a range of the heads. */
const share = ([, count]: readonly [number, number], heads: number, perPair: number, perRow: number): Work => ({
  flops: { pairs: (perPair * count) / heads },
  bytes: rowBytes((perRow * count) / heads),
});

const rowBytes = (elements: number): Amount => ({ rows: 4 * elements });
