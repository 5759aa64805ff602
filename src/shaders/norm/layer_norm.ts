// Layer norm (Ba, Kiros & Hinton 2016, arXiv 1607.06450): forward, gradient of x, gradients of weight and bias.
// Shapes: x, y, dx, dy [rows, width]; stats [rows, 2], mean and rstd of each row; w, b, dw, db [width]; all f32.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { lanesFor, liveParams, rowAmount, rowGrid, type Live } from '../lib/rowwise';
import fwd from './layer_norm_fwd.wgsl?raw';
import bwdDx from './layer_norm_bwd_dx.wgsl?raw';
import bwdDw from './layer_norm_bwd_dw.wgsl?raw';

interface LayerNormSizes {
  readonly label: string;
  /** Capacity in rows. */
  readonly rows: number;
  readonly width: number;
  readonly live?: Live;
}

export interface LayerNormFwdArgs extends LayerNormSizes {
  readonly y: View;
  readonly stats: View;
  readonly x: View;
  readonly w: View;
  readonly b: View;
  readonly eps: number;
}

/** y = (x − mean) · rstd · w + b; saves stats. Rows beyond the live ones stay as they are. */
export function layerNormFwd({ label, y, stats, x, w, b, rows, width, eps, live }: LayerNormFwdArgs): Dispatch {
  const name = 'layer_norm_fwd';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'stats', stats, 2 * rows);
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'w', w, width);
  expectElements(name, 'b', b, width);
  const lanes = lanesFor(width);
  const params = { ...liveParams(rows, live), width, eps };
  return dispatch(kernel(name, [lanes.wgsl, fwd], {}, lanes.variant), label, { y, stats, x, w, b }, params, [...rowGrid(rows, live), 1], {
    flops: rowAmount(rows, live, 8 * width),
    bytes: rowAmount(rows, live, 8 * width + 8, 8 * width),
  });
}

export interface LayerNormBwdDxArgs extends LayerNormSizes {
  readonly dx: View;
  readonly dy: View;
  readonly x: View;
  readonly stats: View;
  readonly w: View;
  /** Add to dx (the gradient of the residual stream) instead of assigning it. */
  readonly accumulate: boolean;
}

export function layerNormBwdDx({ label, dx, dy, x, stats, w, rows, width, accumulate, live }: LayerNormBwdDxArgs): Dispatch {
  const name = 'layer_norm_bwd_dx';
  expectElements(name, 'dx', dx, rows * width);
  expectElements(name, 'dy', dy, rows * width);
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'stats', stats, 2 * rows);
  expectElements(name, 'w', w, width);
  const lanes = lanesFor(width);
  const params = { ...liveParams(rows, live), width, accumulate: accumulate ? 1 : 0 };
  return dispatch(
    kernel(name, [lanes.wgsl, bwdDx], {}, lanes.variant),
    label,
    { dx, dy, x, stats, w },
    params,
    [...rowGrid(rows, live), 1],
    {
      flops: rowAmount(rows, live, 13 * width),
      bytes: rowAmount(rows, live, (accumulate ? 16 : 12) * width + 8, 4 * width),
    },
  );
}

export interface LayerNormBwdDwArgs extends LayerNormSizes {
  readonly dw: View;
  readonly db: View;
  readonly dy: View;
  readonly x: View;
  readonly stats: View;
}

/** dw and db over the live rows; assigned in the first micro-batch of a step, added to after it. */
export function layerNormBwdDw({ label, dw, db, dy, x, stats, rows, width, live }: LayerNormBwdDwArgs): Dispatch {
  const name = 'layer_norm_bwd_dw';
  expectElements(name, 'dw', dw, width);
  expectElements(name, 'db', db, width);
  expectElements(name, 'dy', dy, rows * width);
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'stats', stats, 2 * rows);
  return dispatch(
    kernel(name, [bwdDw]),
    label,
    { dw, db, dy, x, stats },
    { ...liveParams(rows, live), width },
    [Math.ceil(width / 32), 1, 1],
    {
      flops: rowAmount(rows, live, 5 * width),
      bytes: rowAmount(rows, live, 8 * width + 8, 8 * width),
    },
  );
}
