// SwiGLU (Shazeer 2020, arXiv 2002.05202), the gated feed-forward of Llama-like models: forward and gradient.
// Shapes: gu, dgu [rows, 2·ff] (gate, then up); h, dh [rows, ff]; all f32.

import type { Dispatch, View } from '../../dispatch/types';
import { expectElements } from '../../dispatch/kernel';
import { elementwise } from '../lib/elementwise';
import type { Live } from '../lib/rowwise';
import fwd from './swiglu_fwd.wgsl?raw';
import bwd from './swiglu_bwd_dx.wgsl?raw';
import maths from './swiglu_maths.wgsl?raw';

interface SwigluSizes {
  readonly label: string;
  readonly gu: View;
  /** Capacity in rows. */
  readonly rows: number;
  /** F: columns of gate, of up and of h. */
  readonly ff: number;
  readonly live?: Live;
}

export interface SwigluFwdArgs extends SwigluSizes {
  readonly h: View;
}

export function swigluFwd({ label, h, gu, rows, ff, live }: SwigluFwdArgs): Dispatch {
  const name = 'swiglu_fwd';
  expectElements(name, 'h', h, rows * ff);
  expectElements(name, 'gu', gu, rows * 2 * ff);
  return elementwise(name, { label, wgsl: [maths, fwd], views: { h, gu }, rows, width: ff, live, flops: 6 * ff, bytes: 12 * ff });
}

export interface SwigluBwdDxArgs extends SwigluSizes {
  readonly dgu: View;
  readonly dh: View;
}

export function swigluBwdDx({ label, dgu, dh, gu, rows, ff, live }: SwigluBwdDxArgs): Dispatch {
  const name = 'swiglu_bwd_dx';
  expectElements(name, 'dgu', dgu, rows * 2 * ff);
  expectElements(name, 'dh', dh, rows * ff);
  expectElements(name, 'gu', gu, rows * 2 * ff);
  return elementwise(name, { label, wgsl: [maths, bwd], views: { dgu, dh, gu }, rows, width: ff, live, flops: 12 * ff, bytes: 20 * ff });
}
