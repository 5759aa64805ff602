// What a product of family 'tiles' may do with its sums while they are in registers, in place of another pass over memory. Each kind is
// an operation's own arithmetic (shaders/activation, shaders/rope), applied to the same values.

import { expectElements, shapeError } from '../../dispatch/kernel';
import type { View } from '../../dispatch/types';
import geluMaths from '../activation/gelu_maths.wgsl?raw';
import swigluMaths from '../activation/swiglu_maths.wgsl?raw';
import { FLOPS as GELU_FLOPS, KIND_CODES as GELU_CODES, type GeluKind } from '../activation/gelu';
import gelu from './epilogue_gelu.wgsl?raw';
import geluBwd from './epilogue_gelu_bwd.wgsl?raw';
import normBwd from './epilogue_norm_bwd.wgsl?raw';
import pairs from './epilogue_pairs.wgsl?raw';
import plain from './epilogue_plain.wgsl?raw';
import quads from './epilogue_quads.wgsl?raw';
import rope from './epilogue_rope.wgsl?raw';
import swiglu from './epilogue_swiglu.wgsl?raw';
import swigluBwd from './epilogue_swiglu_bwd.wgsl?raw';
import keepNothing from './keep_nothing.wgsl?raw';
import keepY from './keep_y.wgsl?raw';

/** In all of them [m, n] is the product, with its bias if it has one; `keep`: false leaves y out, because nothing reads it. */
export type Epilogue =
  /** y [m, n] */
  | { readonly kind: 'plain' }
  /** y [m, n], and act [m, n] = GELU(y). */
  | { readonly kind: 'gelu'; readonly form: GeluKind; readonly act: View; readonly keep: boolean }
  /** y [m, n] = the product · GELU'(x); x [m, n]. */
  | { readonly kind: 'gelu_bwd'; readonly form: GeluKind; readonly x: View }
  /** y [m, n] = gate and up side by side, and act [m, n/2] = silu(gate) · up. */
  | { readonly kind: 'swiglu'; readonly act: View; readonly keep: boolean }
  /**
   * y [m, 2n] = gradients of gate and up, the product being that of act; gu [m, 2n] as the forward left it. along [m, rowSumGroups(m, n)]:
   * parts of each row's Σ y · gu.
   */
  | { readonly kind: 'swiglu_bwd'; readonly gu: View; readonly along?: View }
  /**
   * y [m, n] += the gradient of an RMS norm's input x [m, n], the product being that of its output, which only h = norm·Wᵀ reads. along
   * [m, groups]: parts of each row's Σ dh · h. gain [n], rstd [m].
   */
  | { readonly kind: 'norm_bwd'; readonly x: View; readonly gain: View; readonly rstd: View; readonly along: View; readonly groups: number }
  /** y [m, n] = q, k and v heads, of which the first `turned` heads are turned by the angles of their positions (shaders/rope). */
  | {
      readonly kind: 'rope';
      readonly headDim: number;
      readonly turned: number;
      /** [tableRows, headDim / 2] */
      readonly cos: View;
      readonly sin: View;
      readonly tableRows: number;
      /** u32 [m] */
      readonly segStart: View;
    };

interface Made {
  readonly wgsl: readonly string[];
  readonly constants: Readonly<Record<string, number>>;
  readonly views: Readonly<Record<string, View>>;
  /** Columns c and c + half of every 2 · half are computed together; 0: no columns are. */
  readonly half: number;
  /** Elements of a row of y. */
  readonly width: number;
  readonly keep: boolean;
  /** Operations of a row beside the product's, and elements that it reads and writes beside y. */
  readonly flops: number;
  readonly elements: number;
  /** p.part, where the epilogue reads it. */
  readonly part?: number;
  /** Where the epilogue's sums of rows go. */
  readonly rowSums?: View;
}

/** The epilogue of a product [m, n]. Throws SHAPE_MISMATCH on a view that is too small or columns that make no whole quads. */
export function makeEpilogue(name: string, epilogue: Epilogue, m: number, n: number): Made {
  const expect = (binding: string, view: View, elements: number): void => expectElements(name, binding, view, elements);
  if (n % 4 !== 0) throw shapeError(name, 'n', 'a multiple of 4', String(n));
  switch (epilogue.kind) {
    case 'plain':
      return { wgsl: [quads, plain], constants: {}, views: {}, half: 0, width: n, keep: true, flops: 0, elements: 0 };
    case 'gelu':
    case 'gelu_bwd': {
      const backward = epilogue.kind === 'gelu_bwd';
      const other = backward ? epilogue.x : epilogue.act;
      expect(backward ? 'x' : 'act', other, m * n);
      return {
        wgsl: [quads, geluMaths, backward ? geluBwd : gelu],
        constants: { N: n, KIND: GELU_CODES[epilogue.form] },
        views: backward ? { x: other } : { act: other },
        half: 0,
        width: n,
        keep: backward || epilogue.keep,
        flops: GELU_FLOPS[epilogue.form][backward ? 'bwd' : 'fwd'] * n,
        elements: n,
      };
    }
    case 'swiglu': {
      const half = paired(name, n, n / 2);
      expect('act', epilogue.act, m * half);
      return {
        wgsl: [pairs, swigluMaths, swiglu],
        constants: {},
        views: { act: epilogue.act },
        half,
        width: n,
        keep: epilogue.keep,
        flops: 6 * half,
        elements: half,
      };
    }
    case 'swiglu_bwd':
      expect('gu', epilogue.gu, m * 2 * n);
      return {
        wgsl: [quads, swigluMaths, swigluBwd],
        constants: { N: n },
        views: { gu: epilogue.gu },
        half: 0,
        width: 2 * n,
        keep: true,
        flops: 12 * n,
        elements: 2 * n,
        rowSums: epilogue.along,
      };
    case 'norm_bwd': {
      const { x, gain, rstd, along, groups } = epilogue;
      expect('x', x, m * n);
      expect('gain', gain, n);
      expect('rstd', rstd, m);
      expect('along', along, m * groups);
      return {
        wgsl: [quads, normBwd],
        constants: { N: n },
        part: groups,
        views: { x, gain, rstd, along },
        half: 0,
        width: n,
        keep: true,
        flops: 6 * n,
        // x, and y once more than it is written.
        elements: 2 * n + groups + 1,
      };
    }
    case 'rope': {
      const { headDim, turned, cos, sin, tableRows, segStart } = epilogue;
      const half = paired(name, n, headDim / 2);
      if (tableRows < 1) throw shapeError(name, 'tableRows', '≥ 1', String(tableRows));
      expect('cos_table', cos, tableRows * half);
      expect('sin_table', sin, tableRows * half);
      expect('seg_start', segStart, m);
      return {
        wgsl: [pairs, rope],
        constants: { TURNED: turned * headDim, TABLE_ROWS: tableRows },
        views: { cos_table: cos, sin_table: sin, seg_start: segStart },
        half,
        width: n,
        keep: true,
        flops: 3 * turned * headDim,
        elements: headDim + 1,
      };
    }
  }
}

/** WGSL that keeps y, or nothing. */
export const keepSnippet = (keep: boolean): string => (keep ? keepY : keepNothing);

/** Whether columns of a product [m, n] can be computed in pairs that lie `half` apart. */
export const pairsUp = (n: number, half: number): boolean => Number.isInteger(half) && half % 2 === 0 && n % (2 * half) === 0;

function paired(name: string, n: number, half: number): number {
  if (!pairsUp(n, half)) throw shapeError(name, 'n', 'whole pairs of columns', `${n} columns, ${half} apart`);
  return half;
}
