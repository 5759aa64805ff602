// Matrix products in the three layouts that a linear layer and its gradients need, in two kernel families.
// This file checks shapes, picks the kernel (family, tile, quads or single elements per operand) and its grid.

import { elementBytes, roundUp, type Dispatch, type View } from '../../dispatch/types';
import type { Amount, Grid, GridDim, Work } from '../../dispatch/extents';
import { dispatch, expectElements, EXTENT_CODES, kernel, shapeError } from '../../dispatch/kernel';
import finish from './matmul_finish.wgsl?raw';
import common from './matmul_params.wgsl?raw';
import normNone from './norm_none.wgsl?raw';
import rowSumsNone from './row_sums_none.wgsl?raw';
import { loadSnippet, storeSnippet, unitsOf, type Format, type LoadFormat } from './operand';
import few from './matmul_nt_few.wgsl?raw';
import fewShared from './matmul_nt_few_shared.wgsl?raw';
import nn from './matmul_nn.wgsl?raw';
import nt from './matmul_nt.wgsl?raw';
import sum from './matmul_sum.wgsl?raw';
import tiles from './matmul_tiles.wgsl?raw';
import tn from './matmul_tn.wgsl?raw';
import { expand } from '../lib/expand';
import { flatLaunch, rowAmount } from '../lib/rowwise';
import { TILES, tileFor, type MatmulTile } from './tile';

/** nt: y[m,n] = Σ_k a[m,k]·b[n,k] (forward) · nn: Σ_k a[m,k]·b[k,n] (dX) · tn: Σ_k a[k,m]·b[k,n] (dW). */
export type MatmulLayout = 'nt' | 'nn' | 'tn';

/**
 * 'register' keeps its tile in registers and has no barrier: for software adapters, and some graphics cards. 'tiles' goes through workgroup
 * memory, in tiles of several sizes that all give the same bits.
 */
export type MatmulFamily = 'register' | 'tiles';

export interface MatmulArgs {
  readonly label: string;
  readonly layout: MatmulLayout;
  readonly y: View;
  readonly a: View;
  /** f32, or packed (View.stored) if its rows, stride and offset are multiples of four elements. */
  readonly b: View;
  /** Capacities; at least 1. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Row strides in elements. Default: the dense width. */
  readonly lda?: number;
  readonly ldb?: number;
  readonly ldy?: number;
  /** Column offsets in elements. Default 0. */
  readonly a0?: number;
  readonly b0?: number;
  readonly y0?: number;
  /**
   * The extent that limits m (nt, nn) or k (tn) at run time. With row0, even 0, the dispatch is one chunk of
   * several and covers rows [row0, row0 + capacity) of the extent; row r of the views is row row0 + r.
   */
  readonly live?: { readonly extent: 'rows' | 'targets'; readonly row0?: number };
  /** [n], added to every row. */
  readonly bias?: View;
  /** [m, n] with y's stride and offset, added; in another buffer than y. */
  readonly residual?: View;
  /** y = alpha · (a·b) + bias + residual. Default 1. */
  readonly alpha?: number;
  /**
   * y = …, y += …, or += in every micro-batch of a step but the first. 'continue', of nn: the sum begins with y, to the same bits
   * as one over the terms before and these; no alpha, bias, residual. Default 'no'.
   */
  readonly accumulate?: 'no' | 'yes' | 'frame' | 'continue';
  /**
   * The operand whose rows of odd width are padded to whole quads, so that it is read and written by quads: 'y' of nt, whose padding may be
   * overwritten, or 'a' of nn and tn, whose padding holds numbers.
   */
  readonly padded?: 'a' | 'y';
  readonly family?: MatmulFamily;
  /** Of family 'tiles'. Default: by the sizes. */
  readonly tile?: MatmulTile;
}

/** A product as parts of its sum, which matmulParts() adds in order. */
export interface Parts {
  readonly count: number;
  /** [count, m, n] */
  readonly scratch: View;
  /** Parts of one dispatch. Default: all. */
  readonly together?: number;
}

/** Parts [first, end) of `count`, which one dispatch computes. */
interface Cut {
  readonly count: number;
  readonly first: number;
  readonly end: number;
}
const WHOLE: Cut = { count: 1, first: 0, end: 1 };

const ACCUMULATE_CODES = { no: 0, yes: 1, frame: 2, continue: 3 } as const;
const REGISTER_SOURCES: Readonly<Record<MatmulLayout, string>> = { nt, nn, tn };

/** Up to this many rows (generation), an invocation or workgroup takes all rows of its columns. */
const FEW_ROWS = 4;
const FEW = {
  register: { name: 'matmul_nt_few', source: few, constants: { COLUMNS: 64 } },
  tiles: { name: 'matmul_nt_few_shared', source: fewShared, constants: { COLUMNS: 8, LANES: 16 } },
} as const;
/** Outputs of one invocation of the register family: TILE_ROWS × 4. */
const TILE_ROWS = 8;

interface Shapes {
  readonly lda: number;
  readonly ldb: number;
  readonly ldy: number;
  readonly a0: number;
  readonly b0: number;
  readonly y0: number;
}

interface Choice {
  readonly name: string;
  /** Family or tile, for the kernel's key. */
  readonly kind: string;
  readonly source: string | (() => string);
  readonly constants: Readonly<Record<string, number>>;
  readonly grid: Grid;
  /** y is written one element at a time. */
  readonly elementwise?: boolean;
}

/** One matrix product. Throws SHAPE_MISMATCH on a view that is too small or sizes that contradict each other. */
export const matmul = (args: MatmulArgs): Dispatch => make(args, WHOLE);

/**
 * The same product in parts of the sum, which give small outputs with long sums the workgroups that fill a graphics card: two dispatches.
 * Family 'tiles'; no 'continue'. Throws SHAPE_MISMATCH.
 */
export function matmulParts(args: MatmulArgs, { count, scratch, together = count }: Parts): Dispatch[] {
  const { label, layout, m, n, y, bias, residual, alpha, accumulate, live, ldy, y0, ...rest } = args;
  if (accumulate === 'continue' || args.family !== 'tiles')
    throw shapeError(`matmul_${layout}`, 'parts', "family 'tiles', no 'continue'", '');
  const limited = layout === 'tn' ? undefined : live;
  const products = { ...rest, label: `${label} parts`, layout, m, n, live, y: scratch };
  const starts = Array.from({ length: Math.ceil(count / together) }, (_, i) => i * together);
  return [
    ...starts.map((first) => make(products, { count, first, end: Math.min(count, first + together) })),
    addParts({ label: `${label} sum`, m, n, y, ldy, y0, bias, residual, alpha, accumulate, live: limited }, { count, scratch }),
  ];
}

function make(args: MatmulArgs, cut: Cut): Dispatch {
  const { label, layout, m, n, k, bias, residual, accumulate = 'no' } = args;
  const choice = choose(args);
  const shapes = checkedShapes(args, choice.name);
  const { lda, ldb, ldy, a0, b0, y0 } = shapes;

  const whole = (operand: 'a' | 'y', width: number): number => (args.padded === operand ? roundUp(width, 4) : width);
  // The register kernel of nn has no mask for terms past the last.
  const aWidth = layout === 'tn' ? m : k;
  const aFormat = formatOf(layout === 'nn' && args.family !== 'tiles' ? aWidth : whole('a', aWidth), lda, a0);
  const bFormat = packedFormat(choice.name, args.b, formatOf(layout === 'nt' ? k : n, ldb, b0));
  const yFormat = choice.elementwise ? 'scalar' : formatOf(whole('y', n), ldy, y0);
  const biasFormat = bias ? yFormat : 'none';
  const residualFormat = residual ? yFormat : 'none';

  const parts = cut.count;
  // Parts begin at whole tiles of k.
  const span = parts === 1 ? k : roundUp(Math.ceil(k / parts), 16);
  if (parts > 1) expectElements(choice.name, 'parts', args.y, parts * m * n);
  const of = kernel(
    choice.name,
    [
      storeSnippet(yFormat),
      () => loadSnippet('a', 3, aFormat),
      () => loadSnippet('b', 4, bFormat),
      () => loadSnippet('bias', 5, biasFormat),
      () => loadSnippet('residual', 6, residualFormat),
      common,
      finish,
      choice.source,
    ],
    { ...choice.constants, ACCUMULATE: ACCUMULATE_CODES[accumulate] },
    `y_${yFormat}.a_${aFormat}.b_${bFormat}.bias_${biasFormat}.residual_${residualFormat}.${choice.kind}`,
  );
  return dispatch(
    of,
    label,
    { y: args.y, a: args.a, b: args.b, ...(bias && { bias }), ...(residual && { residual }) },
    {
      m,
      n,
      k,
      lda: unitsOf(aFormat, lda),
      ldb: unitsOf(bFormat, ldb),
      ldy: unitsOf(yFormat, ldy),
      a0: unitsOf(aFormat, a0),
      b0: unitsOf(bFormat, b0),
      y0: unitsOf(yFormat, y0),
      extent: EXTENT_CODES[args.live?.extent ?? 'none'],
      row0: args.live?.row0 ?? 0,
      alpha: args.alpha ?? 1,
      span,
      part: parts === 1 ? 0 : unitsOf(yFormat, m * n),
      part0: cut.first,
      col0: 0,
    },
    parts === 1 ? choice.grid : [choice.grid[0], choice.grid[1], cut.end - cut.first],
    workOf(args, cut),
  );
}

type Sum = Pick<MatmulArgs, 'label' | 'm' | 'n' | 'y' | 'ldy' | 'y0' | 'bias' | 'residual' | 'alpha' | 'accumulate' | 'live'>;

/** y = alpha · Σ parts + bias + residual, or added to y. */
function addParts(
  { label, m, n, y, ldy = n, y0 = 0, bias, residual, alpha = 1, accumulate = 'no', live }: Sum,
  { count, scratch }: Parts,
): Dispatch {
  const name = 'matmul_sum';
  expectMatrix(name, 'y', y, m, n, ldy, y0);
  if (residual) expectMatrix(name, 'residual', residual, m, n, ldy, y0);
  if (bias) expectElements(name, 'bias', bias, n);
  const [yFormat, aFormat] = [formatOf(n, ldy, y0), formatOf(n, n, 0)];
  const [biasFormat, residualFormat] = [bias ? yFormat : 'none', residual ? yFormat : 'none'] as const;
  const quads = Math.ceil(n / 4);
  const { grid, repeat } = flatLaunch(m, live, quads);
  const of = kernel(
    name,
    [
      storeSnippet(yFormat),
      () => loadSnippet('a', 3, aFormat),
      () => loadSnippet('bias', 5, biasFormat),
      () => loadSnippet('residual', 6, residualFormat),
      common,
      finish,
      sum,
    ],
    { ACCUMULATE: ACCUMULATE_CODES[accumulate], REPEAT: repeat },
    `y_${yFormat}.a_${aFormat}.bias_${biasFormat}.residual_${residualFormat}`,
  );
  const units = { lda: unitsOf(aFormat, n), ldb: 0, ldy: unitsOf(yFormat, ldy), a0: 0, b0: 0, y0: unitsOf(yFormat, y0) };
  const more = {
    extent: EXTENT_CODES[live?.extent ?? 'none'],
    row0: live?.row0 ?? 0,
    alpha,
    span: count,
    part0: 0,
    col0: 0,
    part: unitsOf(aFormat, m * n),
  };
  const passes = count + 1 + (accumulate === 'no' ? 0 : 1) + (residual ? 1 : 0);
  return dispatch(
    of,
    label,
    { y, a: scratch, ...(bias && { bias }), ...(residual && { residual }) },
    { m, n, k: count, ...units, ...more },
    grid,
    { flops: rowAmount(m, live, count * n), bytes: rowAmount(m, live, 4 * passes * n, bias ? 4 * n : 0) },
  );
}

function choose(args: MatmulArgs): Choice {
  const { layout, m, n, family = 'register' } = args;
  const by = (tile: number): GridDim => Math.ceil(n / tile);
  if (layout === 'nt' && m <= FEW_ROWS) {
    const { name, source, constants } = FEW[family];
    return {
      name,
      kind: family === 'tiles' ? 'lanes' : 'register',
      source,
      constants: { ...constants, ROWS: m },
      grid: [by(constants.COLUMNS), rowGroups(args, FEW_ROWS), 1],
      elementwise: true,
    };
  }
  if (family === 'tiles') {
    const tile = args.tile ?? tileFor(m, n);
    const { BM, BN, ROWS } = TILES[tile];
    const constants = { BM, BN, ROWS, A_BY_K: layout === 'tn' ? 1 : 0, B_BY_K: layout === 'nt' ? 0 : 1, HALF: 0, NORMS: 0, SUMS_ROWS: 0 };
    const source = (): string => expand(`${normNone}\n${rowSumsNone}\n${tiles}`, { ROWS });
    return { name: `matmul_${layout}`, kind: tile, source, constants, grid: [rowGroups(args, BM), by(BN), 1] };
  }
  const constants = m <= FEW_ROWS ? { ROWS: 4, WX: 64, WY: 1 } : { ROWS: TILE_ROWS, WX: 16, WY: 4 };
  return {
    name: `matmul_${layout}`,
    kind: 'register',
    source: REGISTER_SOURCES[layout],
    constants,
    grid: [rowGroups(args, constants.ROWS * constants.WY), by(constants.WX * 4), 1],
  };
}

/** Workgroups over the rows of y: as many as are live, all of them where the live extent limits k. */
export function rowGroups({ layout, m, live }: Pick<MatmulArgs, 'layout' | 'm' | 'live'>, per: number): GridDim {
  if (!live || layout === 'tn') return Math.ceil(m / per);
  return { extent: live.extent, per, from: live.row0 ?? 0, limit: m };
}

/** Quads where every row and the start of every slice of the operand fall on a multiple of four elements. */
export function formatOf(width: number, stride: number, offset: number): Format {
  return width % 4 === 0 && stride % 4 === 0 && offset % 4 === 0 ? 'vec4' : 'scalar';
}

export function packedFormat(name: string, { stored }: View, format: Format): LoadFormat {
  if (stored && format !== 'vec4') throw shapeError(name, 'b', 'rows, stride and offset of whole quads where it is packed', format);
  return stored ?? format;
}

function checkedShapes(args: MatmulArgs, name: string): Shapes {
  const { layout, m, n, k, y, a, b, bias, residual, live } = args;
  for (const [label, size] of Object.entries({ m, n, k })) {
    if (!Number.isInteger(size) || size < 1) throw shapeError(name, label, 'a positive integer', String(size));
  }
  const row0 = live?.row0 ?? 0;
  if (args.accumulate === 'continue' && (layout !== 'nn' || (args.alpha ?? 1) !== 1 || bias || residual))
    throw shapeError(name, 'accumulate', "nn, without alpha, bias and residual, for 'continue'", layout);
  if (!Number.isInteger(row0) || row0 < 0) throw shapeError(name, 'row0', 'an integer from 0 on', String(row0));
  const [aRows, aWidth] = layout === 'tn' ? [k, m] : [m, k];
  const [bRows, bWidth] = layout === 'nt' ? [n, k] : [k, n];
  const { lda = aWidth, ldb = bWidth, ldy = n, a0 = 0, b0 = 0, y0 = 0 } = args;
  expectMatrix(name, 'a', a, aRows, aWidth, lda, a0);
  expectMatrix(name, 'b', b, bRows, bWidth, ldb, b0);
  expectMatrix(name, 'y', y, m, n, ldy, y0);
  if (residual) expectMatrix(name, 'residual', residual, m, n, ldy, y0);
  if (bias) expectElements(name, 'bias', bias, n);
  return { lda, ldb, ldy, a0, b0, y0 };
}

export function expectMatrix(name: string, binding: string, view: View, rows: number, width: number, stride: number, offset: number): void {
  if (!Number.isInteger(stride) || !Number.isInteger(offset) || offset < 0 || offset + width > stride) {
    throw shapeError(name, binding, `columns [offset, offset + ${width}) inside the row stride`, `offset ${offset}, stride ${stride}`);
  }
  expectElements(name, binding, view, (rows - 1) * stride + offset + width);
}

/**
 * 2·m·n·k FLOPs, each operand over the bus once. A whole live extent scales the work; a chunk of one (row0
 * given) is counted at its capacity, because a linear form cannot say where the extent ends inside it.
 */
function workOf({ layout, m, n, k, b, bias, residual, accumulate = 'no', live }: MatmulArgs, { count, first, end }: Cut): Work {
  const parts = end - first;
  const share = parts / count;
  const limited = layout === 'tn' ? k : m;
  const scaled = (perLive: number, fixed: number): Amount =>
    live && live.row0 === undefined ? { [live.extent]: share * perLive, one: share * fixed } : { one: share * (perLive * limited + fixed) };
  const yElements = n * (parts / share + (accumulate === 'no' ? 0 : 1) + (residual ? 1 : 0));
  const biasElements = bias ? n : 0;
  return layout === 'tn'
    ? { flops: scaled(2 * m * n, 0), bytes: scaled(4 * m + elementBytes(b) * n, 4 * (m * yElements + biasElements)) }
    : { flops: scaled(2 * n * k, 0), bytes: scaled(4 * (k + yElements), elementBytes(b) * n * k + 4 * biasElements) };
}
