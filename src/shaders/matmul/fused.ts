// A product with the norm before it or an epilogue after it, or both: family 'tiles' only, whole or in pieces by columns, which share no sum.

import { elementBytes, type Dispatch, type View } from '../../dispatch/types';
import type { Amount } from '../../dispatch/extents';
import { dispatch, EXTENT_CODES, expectElements, kernel, shapeError } from '../../dispatch/kernel';
import { expand } from '../lib/expand';
import { rowAmount } from '../lib/rowwise';
import { keepSnippet, makeEpilogue, type Epilogue } from './epilogue';
import { expectMatrix, formatOf, packedFormat, rowGroups } from './matmul';
import tiles from './matmul_tiles.wgsl?raw';
import matmulParams from './matmul_params.wgsl?raw';
import normLayer from './norm_layer.wgsl?raw';
import normNone from './norm_none.wgsl?raw';
import normRms from './norm_rms.wgsl?raw';
import rowSumsOf from './row_sums.wgsl?raw';
import rowSumsNone from './row_sums_none.wgsl?raw';
import { loadSnippet, unitsOf } from './operand';
import { TILES, tileFor, type MatmulTile } from './tile';

export interface FusedArgs {
  readonly label: string;
  readonly layout: 'nt' | 'nn';
  /** As wide as the epilogue says. */
  readonly y: View;
  /** [m, k] */
  readonly a: View;
  /** nt: [n, k], nn: [k, n]; f32, or packed. */
  readonly b: View;
  readonly m: number;
  /** A multiple of 4. */
  readonly n: number;
  readonly k: number;
  readonly live: { readonly extent: 'rows' | 'targets' };
  /** [n] */
  readonly bias?: View;
  readonly epilogue: Epilogue;
  /** a is what a norm reads: the product is that of its output. 4 divides k. */
  readonly norm?: NormBefore;
  /** Columns [first, end) of the product, from a multiple of 64 on. Default: all. */
  readonly columns?: readonly [number, number];
  /** Default: by the sizes. */
  readonly tile?: MatmulTile;
}

export type NormBefore =
  /** RMS: w [k], to which offset is added; rstd [m] is assigned. */
  | { readonly kind: 'rms'; readonly w: View; readonly rstd: View; readonly eps: number; readonly offset?: 0 | 1 }
  /** Layer: w, b [k]; stats [m, 2], mean and rstd of each row, is assigned. */
  | { readonly kind: 'layer'; readonly w: View; readonly b: View; readonly stats: View; readonly eps: number };

const NORMS = {
  rms: { code: 1, wgsl: normRms, name: '_norm', flops: 4 },
  layer: { code: 2, wgsl: normLayer, name: '_layer_norm', flops: 8 },
};

/** y = epilogue(norm(a)·b + bias). Throws SHAPE_MISMATCH. */
export function fusedMatmul(args: FusedArgs): Dispatch {
  const { label, layout, y, a, b, m, n, k, live, bias, epilogue, norm, columns: [first, end] = [0, n] } = args;
  const before = norm && NORMS[norm.kind];
  const name = `matmul_${layout}${before?.name ?? ''}_${epilogue.kind}`;
  const { wgsl, constants, views, half, width, keep, flops, elements, rowSums, part = 0 } = makeEpilogue(name, epilogue, m, n);
  expectMatrix(name, 'a', a, m, k, k, 0);
  expectMatrix(name, 'b', b, layout === 'nt' ? n : k, layout === 'nt' ? k : n, layout === 'nt' ? k : n, 0);
  if (keep) expectElements(name, 'y', y, m * width);
  if (bias) expectElements(name, 'bias', bias, n);
  if (norm) {
    if (k % 4 !== 0) throw shapeError(name, 'k', 'a multiple of 4', String(k));
    expectElements(name, 'gain', norm.w, k);
    if (norm.kind === 'rms') expectElements(name, 'rstd', norm.rstd, m);
    else {
      expectElements(name, 'shift', norm.b, k);
      expectElements(name, 'stats', norm.stats, 2 * m);
    }
  }
  // Sums of rows are those of a tile's columns, so that a cut by columns must not change the tile.
  const tile = args.tile ?? tileFor(m, rowSums ? n : end - first);
  const { BM, BN, ROWS } = TILES[tile];
  const groups = Math.ceil(n / BN);
  if (rowSums) expectElements(name, 'along', rowSums, m * groups);
  const aFormat = formatOf(k, k, 0);
  const ldb = layout === 'nt' ? k : n;
  const bFormat = packedFormat(name, b, formatOf(ldb, ldb, 0));
  const biasFormat = !bias ? 'none' : half > 0 ? 'scalar' : 'vec4';
  const unit = half > 0 ? 2 : 4;
  const of = kernel(
    name,
    [
      () => loadSnippet('a', 3, aFormat),
      () => loadSnippet('b', 4, bFormat),
      () => loadSnippet('bias', 5, biasFormat),
      matmulParams,
      ...wgsl,
      keepSnippet(keep),
      () => expand(`${before?.wgsl ?? normNone}\n${rowSums ? rowSumsOf : rowSumsNone}\n${tiles}`, { ROWS }),
    ],
    {
      BM,
      BN,
      ROWS,
      A_BY_K: 0,
      B_BY_K: layout === 'nt' ? 0 : 1,
      HALF: half,
      NORMS: before?.code ?? 0,
      OFFSET: norm?.kind === 'rms' ? (norm.offset ?? 0) : 0,
      SUMS_ROWS: rowSums ? 1 : 0,
      ...(rowSums && { GROUPS: groups }),
      ACCUMULATE: 0,
      ...constants,
    },
    `a_${aFormat}.b_${bFormat}.bias_${biasFormat}.y_${keep ? 'kept' : 'left'}.${tile}`,
  );
  const share = (end - first) / n;
  const perRow = share * (width * (keep ? 1 : 0) + elements + (rowSums ? groups : 0));
  const bytes: Amount = rowAmount(
    m,
    live,
    4 * (k + perRow + (before?.code ?? 0)),
    share * (elementBytes(b) * n * k + (bias ? 4 * n : 0)) + 4 * k * (before?.code ?? 0),
  );
  return dispatch(
    of,
    label,
    {
      ...(keep && { y }),
      a,
      b,
      ...(bias && { bias }),
      ...views,
      ...(rowSums && { along: rowSums }),
      ...(norm?.kind === 'rms' && { gain: norm.w, rstd: norm.rstd }),
      ...(norm?.kind === 'layer' && { gain: norm.w, shift: norm.b, stats: norm.stats }),
    },
    {
      m,
      n: end,
      k,
      lda: unitsOf(aFormat, k),
      ldb: unitsOf(bFormat, ldb),
      ldy: width / unit,
      a0: 0,
      b0: 0,
      y0: 0,
      extent: EXTENT_CODES[live.extent],
      row0: 0,
      alpha: norm?.eps ?? 1,
      span: k,
      part,
      part0: 0,
      col0: first,
    },
    [rowGroups({ layout, m, live }, BM), Math.ceil((end - first) / BN), 1],
    { flops: rowAmount(m, live, share * (2 * n * k + flops) + k * (before?.flops ?? 0)), bytes },
  );
}

/** How many sums of a row an epilogue leaves of a product [m, n]: of sizes alone. */
export const rowSumGroups = (m: number, n: number): number => Math.ceil(n / TILES[tileFor(m, n)].BN);
