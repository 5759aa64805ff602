// SwiGLU (Shazeer 2020, arXiv 2002.05202), the gated feed-forward of Llama-like models: forward and gradient.
// Shapes: gu, dgu [rows, 2·ff] (gate, then up); h, dh [rows, ff]; all f32.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { flatLaunch, lanesFor, liveParams, rowAmount, type Live } from '../lib/rowwise';
import fwd from './swiglu_fwd.wgsl?raw';
import bwd from './swiglu_bwd_dx.wgsl?raw';

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
  const lanes = lanesFor(ff);
  const steps = ff / lanes.count;
  const { grid, repeat } = flatLaunch(rows, live, steps);
  return dispatch(
    kernel(name, [lanes.wgsl, fwd], { REPEAT: repeat }, lanes.variant),
    label,
    { h, gu },
    { ...liveParams(rows, live), steps },
    grid,
    {
      flops: rowAmount(rows, live, 6 * ff),
      bytes: rowAmount(rows, live, 12 * ff),
    },
  );
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
  const lanes = lanesFor(ff);
  const steps = ff / lanes.count;
  const { grid, repeat } = flatLaunch(rows, live, steps);
  return dispatch(
    kernel(name, [lanes.wgsl, bwd], { REPEAT: repeat }, lanes.variant),
    label,
    { dgu, dh, gu },
    { ...liveParams(rows, live), steps },
    grid,
    {
      flops: rowAmount(rows, live, 12 * ff),
      bytes: rowAmount(rows, live, 20 * ff),
    },
  );
}
