// GeGLU (Shazeer 2020, arXiv 2002.05202) with the tanh form of GELU, the gated feed-forward of Gemma: forward and gradient.
// Shapes: gu, dgu [rows, 2·ff] (gate, then up); h, dh [rows, ff]; all f32.

import type { Dispatch, View } from '../../dispatch/types';
import { expectElements } from '../../dispatch/kernel';
import { elementwise } from '../lib/elementwise';
import type { Live } from '../lib/rowwise';
import fwd from './geglu_fwd.wgsl?raw';
import bwd from './geglu_bwd_dx.wgsl?raw';
import maths from './gelu_maths.wgsl?raw';

/** GELU's form in gelu_maths.wgsl. */
const TANH = { KIND: 0 };

interface GegluSizes {
  readonly label: string;
  readonly gu: View;
  /** Capacity in rows. */
  readonly rows: number;
  /** F: columns of gate, of up and of h. */
  readonly ff: number;
  readonly live?: Live;
}

export interface GegluFwdArgs extends GegluSizes {
  readonly h: View;
}

export function gegluFwd({ label, h, gu, rows, ff, live }: GegluFwdArgs): Dispatch {
  const name = 'geglu_fwd';
  expectElements(name, 'h', h, rows * ff);
  expectElements(name, 'gu', gu, rows * 2 * ff);
  return elementwise(name, {
    label,
    wgsl: [maths, fwd],
    constants: TANH,
    views: { h, gu },
    rows,
    width: ff,
    live,
    flops: 10 * ff,
    bytes: 12 * ff,
  });
}

export interface GegluBwdDxArgs extends GegluSizes {
  readonly dgu: View;
  readonly dh: View;
}

export function gegluBwdDx({ label, dgu, dh, gu, rows, ff, live }: GegluBwdDxArgs): Dispatch {
  const name = 'geglu_bwd_dx';
  expectElements(name, 'dgu', dgu, rows * 2 * ff);
  expectElements(name, 'dh', dh, rows * ff);
  expectElements(name, 'gu', gu, rows * 2 * ff);
  return elementwise(name, {
    label,
    wgsl: [maths, bwd],
    constants: TANH,
    views: { dgu, dh, gu },
    rows,
    width: ff,
    live,
    flops: 20 * ff,
    bytes: 20 * ff,
  });
}
