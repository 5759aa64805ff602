// GELU (Hendrycks & Gimpel 2016, arXiv 1606.08415), exact or in the tanh form of GPT-2: forward and gradient.
// Shapes: x, y, dx, dy [rows, width], f32.

import type { Dispatch, View } from '../../dispatch/types';
import { expectElements } from '../../dispatch/kernel';
import { elementwise } from '../lib/elementwise';
import type { Live } from '../lib/rowwise';
import maths from './gelu_maths.wgsl?raw';
import fwd from './gelu_fwd.wgsl?raw';
import bwd from './gelu_bwd_dx.wgsl?raw';

/** 'tanh' is gelu_new and gelu_pytorch_tanh of Hugging Face configs, 'erf' is gelu. */
export type GeluKind = 'tanh' | 'erf';

interface GeluSizes {
  readonly label: string;
  readonly x: View;
  readonly kind: GeluKind;
  /** Capacity in rows. */
  readonly rows: number;
  readonly width: number;
  readonly live?: Live;
}

export const KIND_CODES = { tanh: 0, erf: 1 } as const;
/** Operations per element; an exponential or a division counts as one. */
export const FLOPS = { tanh: { fwd: 10, bwd: 18 }, erf: { fwd: 32, bwd: 36 } } as const;

export interface GeluFwdArgs extends GeluSizes {
  readonly y: View;
}

export function geluFwd({ label, y, x, kind, rows, width, live }: GeluFwdArgs): Dispatch {
  const name = 'gelu_fwd';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'x', x, rows * width);
  return elementwise(name, {
    label,
    wgsl: [maths, fwd],
    constants: { KIND: KIND_CODES[kind] },
    views: { y, x },
    rows,
    width,
    live,
    flops: FLOPS[kind].fwd * width,
    bytes: 8 * width,
  });
}

export interface GeluBwdDxArgs extends GeluSizes {
  readonly dx: View;
  readonly dy: View;
}

export function geluBwdDx({ label, dx, dy, x, kind, rows, width, live }: GeluBwdDxArgs): Dispatch {
  const name = 'gelu_bwd_dx';
  expectElements(name, 'dx', dx, rows * width);
  expectElements(name, 'dy', dy, rows * width);
  expectElements(name, 'x', x, rows * width);
  return elementwise(name, {
    label,
    wgsl: [maths, bwd],
    constants: { KIND: KIND_CODES[kind] },
    views: { dx, dy, x },
    rows,
    width,
    live,
    flops: FLOPS[kind].bwd * width,
    bytes: 12 * width,
  });
}
