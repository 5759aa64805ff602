// Attention of the training step: causal, inside segments, grouped query heads, no T×T tensor. The forward keeps
// o and the log-sum-exp of the scores; the backward recomputes the probabilities from it (FlashAttention,
// arXiv 2205.14135). A micro-batch is one stream of N tokens; segStart and segEnd (u32 [N]) say for each token
// where its segment starts and one past where it ends. Generation is in attention_cached.ts.

import type { Amount, GridDim, Work } from '../../dispatch/extents';
import { dispatch, expectElements, kernel, shapeError } from '../../dispatch/kernel';
import type { Dispatch, Kernel, View } from '../../dispatch/types';
import { elementwise } from '../lib/elementwise';
import { expand } from '../lib/expand';
import { lanesFor } from '../lib/rowwise';
import bwdDeltaWgsl from './attention_bwd_delta.wgsl?raw';
import bwdDkvWgsl from './attention_bwd_dkv.wgsl?raw';
import bwdDkvTilesWgsl from './attention_bwd_dkv_tiles.wgsl?raw';
import bwdDqWgsl from './attention_bwd_dq.wgsl?raw';
import bwdDqTilesWgsl from './attention_bwd_dq_tiles.wgsl?raw';
import bwdSumWgsl from './attention_bwd_sum.wgsl?raw';
import bwdSumRopeWgsl from './attention_bwd_sum_rope.wgsl?raw';
import fwdWgsl from './attention_fwd.wgsl?raw';
import fwdTilesWgsl from './attention_fwd_tiles.wgsl?raw';
import { headLayout, laneSource, putSource, quadSource, type HeadSizes } from './attention_layout';
import paramsWgsl from './attention_params.wgsl?raw';
import tileWgsl from './attention_tile.wgsl?raw';

export { attentionCached, cacheAppend } from './attention_cached';

/**
 * Two ways to the same result (up to rounding). 'software': one invocation a query (or key), no barrier; it spills registers on graphics
 * cards. 'tiles': 64 × 32 tiles through workgroup memory, for graphics cards. `delta` is computed by attentionBwdDelta or, with tiles, by
 * attentionBwdDq.
 */
export type AttentionFamily = 'software' | 'tiles';

/** [first, count] */
type Range = readonly [number, number];

/** What a dispatch does of the whole; pieces share no sum. */
export interface AttentionPiece {
  /** Of the heads (of dK and dV: see there). Default: all. */
  readonly range?: Range;
  /** Of the rows, from a multiple of 64 on: queries, or keys of dK and dV. Default: all. */
  readonly rowRange?: Range;
}

interface CommonArgs extends HeadSizes, AttentionPiece {
  readonly label: string;
  /** Capacity: the largest N. */
  readonly rows: number;
  readonly family?: AttentionFamily;
}

export interface AttentionFwdArgs extends CommonArgs {
  /** [N, H·D], assigned. */
  readonly o: View;
  /** [N, H], assigned: natural log of Σ exp(scaled score). */
  readonly lse: View;
  /** [N, (H + 2K)·D]: q heads, k heads, v heads. */
  readonly qkv: View;
  readonly segStart: View;
  /** Of the scores, usually 1/√D. */
  readonly scale: number;
}

interface AttentionBwdDeltaArgs extends Omit<CommonArgs, 'family' | 'kvHeads' | 'range' | 'rowRange'> {
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

interface AttentionBwdDqArgs extends BackwardArgs {
  /** The forward's output, from which tiles compute delta. */
  readonly o: View;
  readonly segStart: View;
}

interface AttentionBwdDkvArgs extends BackwardArgs {
  readonly segEnd: View;
  /**
   * [N, 2H·D]: with it, every query head has a result of its own there (dK of every head, then dV), and `range` counts query heads;
   * attentionBwdSum adds them. Without it, `range` counts kv heads. Tiles only.
   */
  readonly byHead?: View;
}

/** o and lse of the live rows. Throws SHAPE_MISMATCH. */
export function attentionFwd(args: AttentionFwdArgs): Dispatch {
  const { label, o, lse, qkv, segStart, rows, heads, family = 'software' } = args;
  const name = 'attention_fwd';
  const { width, outWidth } = headLayout(name, args);
  expectElements(name, 'o', o, rows * outWidth);
  expectElements(name, 'lse', lse, rows * heads);
  expectElements(name, 'qkv', qkv, rows * width);
  expectElements(name, 'seg_start', segStart, rows);
  const of =
    family === 'software'
      ? softwareKernel(name, args.headDim, fwdWgsl)
      : tilesKernel(name, args.headDim, fwdTilesWgsl, { reads: ['qkv'], writes: 'o' });
  return attention(of, label, { o, lse, qkv, seg_start: segStart }, args, heads, {
    perPair: 4 * outWidth,
    perRow: width + outWidth + heads + 1,
  });
}

/** delta of the live rows, which both other backward kernels of family 'software' read. Throws SHAPE_MISMATCH. */
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

/** The q range of dqkv for the live rows and, with tiles, delta. Throws SHAPE_MISMATCH. */
export function attentionBwdDq(args: AttentionBwdDqArgs): Dispatch {
  const { label, dqkv, dout, qkv, o, lse, delta, segStart, rows, heads, headDim, family = 'software' } = args;
  const name = 'attention_bwd_dq';
  const { width, outWidth } = expectBackward(name, args);
  expectElements(name, 'seg_start', segStart, rows);
  const common = { dqkv, dout, qkv, lse, delta, seg_start: segStart };
  const perRow = width + 2 * outWidth + 2 * heads + 1;
  if (family === 'software')
    return attention(softwareKernel(name, headDim, bwdDqWgsl), label, common, args, heads, { perPair: 6 * outWidth, perRow });
  expectElements(name, 'o', o, rows * outWidth);
  const of = tilesKernel(name, headDim, bwdDqTilesWgsl, { reads: ['qkv', 'dout', 'o'], writes: 'dqkv' });
  return attention(of, label, { ...common, o }, args, heads, { perPair: 6 * outWidth, perRow: perRow + outWidth });
}

/** The k and v parts of dqkv for the live rows, summed over the query heads of each group; or each head's part. Throws SHAPE_MISMATCH. */
export function attentionBwdDkv(args: AttentionBwdDkvArgs): Dispatch {
  const { label, dqkv, dout, qkv, lse, delta, segEnd, rows, heads, kvHeads, headDim, byHead, family = 'software' } = args;
  const name = 'attention_bwd_dkv';
  const { width, outWidth } = expectBackward(name, args);
  expectElements(name, 'seg_end', segEnd, rows);
  const common = { dout, qkv, lse, delta, seg_end: segEnd };
  const columns = byHead ? heads : kvHeads;
  const work = { perPair: 8 * outWidth, perRow: width + outWidth + 2 * columns * headDim + 2 * heads + 1 };
  if (family === 'software') return attention(softwareKernel(name, headDim, bwdDkvWgsl), label, { ...common, dqkv }, args, kvHeads, work);
  const of = tilesKernel(name, headDim, bwdDkvTilesWgsl, { reads: ['qkv', 'dout'], writes: 'y' });
  if (!byHead) {
    const layout = { group: heads / kvHeads, pitch: heads + 2 * kvHeads, k0: heads, v0: heads + kvHeads };
    return attention(of, label, { ...common, y: dqkv }, args, kvHeads, work, layout);
  }
  expectElements(name, 'y', byHead, 2 * rows * outWidth);
  return attention(of, label, { ...common, y: byHead }, args, heads, work, { group: 1, pitch: 2 * heads, k0: 0, v0: heads });
}

/** Rotary positions that the sum turns gradients back by (shaders/rope). */
export interface TurnBack {
  /** [tableRows, D / 2] */
  readonly cos: View;
  readonly sin: View;
  readonly tableRows: number;
  readonly segStart: View;
}

interface SumArgs extends HeadSizes {
  readonly label: string;
  readonly dqkv: View;
  readonly byHead: View;
  readonly rows: number;
  readonly turn?: TurnBack;
}

/**
 * The k and v parts of dqkv from those of every query head (attentionBwdDkv, byHead); with `turn`, also the adjoint of the rotary positions, in
 * the q part too. Throws SHAPE_MISMATCH.
 */
export function attentionBwdSum({ label, dqkv, byHead, rows, heads, kvHeads, headDim, turn }: SumArgs): Dispatch {
  const name = turn ? 'attention_bwd_sum_rope' : 'attention_bwd_sum';
  const { width, outWidth } = headLayout(name, { heads, kvHeads, headDim });
  expectElements(name, 'dqkv', dqkv, rows * width);
  expectElements(name, 'part', byHead, 2 * rows * outWidth);
  const common = { label, rows, live: { extent: 'rows' }, constants: { HEAD_DIM: headDim, HEADS: heads, KV_HEADS: kvHeads } } as const;
  if (!turn) {
    return elementwise(name, {
      ...common,
      wgsl: [bwdSumWgsl],
      views: { dqkv, part: byHead },
      width: 2 * kvHeads * headDim,
      lanes: lanesFor(headDim),
      flops: 2 * outWidth,
      bytes: 4 * (2 * outWidth + 2 * kvHeads * headDim),
    });
  }
  const { cos, sin, tableRows, segStart } = turn;
  if (headDim % 2 !== 0) throw shapeError(name, 'headDim', 'an even number', String(headDim));
  if (tableRows < 1) throw shapeError(name, 'tableRows', '≥ 1', String(tableRows));
  expectElements(name, 'cos_table', cos, (tableRows * headDim) / 2);
  expectElements(name, 'sin_table', sin, (tableRows * headDim) / 2);
  expectElements(name, 'seg_start', segStart, rows);
  return elementwise(name, {
    ...common,
    wgsl: [bwdSumRopeWgsl],
    constants: { ...common.constants, TABLE_ROWS: tableRows },
    views: { dqkv, part: byHead, cos_table: cos, sin_table: sin, seg_start: segStart },
    width: ((heads + kvHeads) / 2 + kvHeads) * headDim,
    lanes: lanesFor(headDim / 2),
    flops: 2 * outWidth + 3 * (heads + kvHeads) * headDim,
    bytes: 4 * (3 * outWidth + width + headDim + 1),
  });
}

/**
 * True where a workgroup for every kv head and 64 keys would leave a graphics card idle, so that every query head should have its own. Of
 * sizes alone, because the order of the sums depends on it.
 */
export const sumsByHead = ({ rows, heads, kvHeads }: HeadSizes & { rows: number }): boolean =>
  kvHeads < heads && Math.ceil(rows / ROWS_PER_GROUP) * kvHeads * TILE_THREADS < FILLING_THREADS;

/** Threads that fill a large graphics card. */
const FILLING_THREADS = 2 ** 15;
const TILE_THREADS = 128;
/** Rows that a workgroup does: invocations of the software kind, X of the tiles. */
const ROWS_PER_GROUP = 64;

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

const softwareKernel = (name: string, headDim: number, wgsl: string): Kernel =>
  kernel(name, [laneSource(headDim).wgsl, paramsWgsl, wgsl], { HEAD_DIM: headDim }, 'register.software');

function tilesKernel(name: string, headDim: number, wgsl: string, buffers: { reads: readonly string[]; writes: string }): Kernel {
  const COLS = Math.ceil(headDim / 32);
  const text = (): string => expand(`${tileWgsl}\n${wgsl}`, { COLS });
  const access = [...buffers.reads.map((of) => quadSource(headDim, of)), putSource(headDim, buffers.writes)];
  const constants = { HEAD_DIM: headDim, COLS, RAGGED: headDim % 32 === 0 ? 0 : 1 };
  return kernel(name, [laneSource(headDim).wgsl, paramsWgsl, text, ...access], constants, 'tiles.64x32');
}

/** How the results of dK and dV lie (attention_params.wgsl). */
type Layout = Readonly<Record<'group' | 'pitch' | 'k0' | 'v0', number>>;
const NO_LAYOUT: Layout = { group: 0, pitch: 0, k0: 0, v0: 0 };

/** A piece of work over heads and rows; `perPair`, `perRow`: FLOPs of a pair and elements of a row, of all heads. */
function attention(
  of: Kernel,
  label: string,
  views: Readonly<Record<string, View>>,
  args: CommonArgs & { readonly scale: number },
  columns: number,
  { perPair, perRow }: { perPair: number; perRow: number },
  layout = NO_LAYOUT,
): Dispatch {
  const { rows, heads, kvHeads, scale, range = [0, columns], rowRange } = args;
  const share = (range[1] / columns) * ((rowRange?.[1] ?? rows) / rows);
  const along: GridDim = rowRange
    ? { extent: 'rows', per: ROWS_PER_GROUP, from: rowRange[0], limit: rowRange[1] }
    : { extent: 'rows', per: ROWS_PER_GROUP };
  const work: Work = { flops: { pairs: perPair * share }, bytes: rowBytes(perRow * share) };
  const params = { rows, heads, kv_heads: kvHeads, scale, head0: range[0], row0: rowRange?.[0] ?? 0, ...layout };
  return dispatch(of, label, views, params, [along, range[1], 1], work);
}

const rowBytes = (elements: number): Amount => ({ rows: 4 * elements });
