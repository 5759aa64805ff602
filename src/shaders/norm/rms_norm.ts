// RMS norm (Zhang & Sennrich 2019, arXiv 1910.07467): forward, gradient of x, gradient of the weight.
// Shapes: x, y, dx, dy [rows, width]; rstd [rows]; w, dw [width]; all f32.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { lanesFor, liveParams, rowAmount, rowGrid, type Live } from '../lib/rowwise';
import fwd from './rms_norm_fwd.wgsl?raw';
import bwdDx from './rms_norm_bwd_dx.wgsl?raw';
import bwdDw from './rms_norm_bwd_dw.wgsl?raw';
import withResidual from './rms_norm_residual.wgsl?raw';

const NO_RESIDUAL = 'fn join(value: V, at: u32) -> V { return value; }\n';

interface RmsNormSizes {
  readonly label: string;
  /** Capacity in rows. */
  readonly rows: number;
  readonly width: number;
  readonly live?: Live;
}

export interface RmsNormFwdArgs extends RmsNormSizes {
  readonly y: View;
  readonly rstd: View;
  readonly x: View;
  readonly w: View;
  readonly eps: number;
  /** Added to the weight. Default: 0. */
  readonly offset?: 0 | 1;
  /** [rows, width], added to the result; default: nothing. */
  readonly residual?: View;
}

/** y = x · rstd · (offset + w) (+ residual); saves rstd. Rows beyond the live ones stay as they are. */
export function rmsNormFwd({ label, y, rstd, x, w, rows, width, eps, offset = 0, residual, live }: RmsNormFwdArgs): Dispatch {
  const name = 'rms_norm_fwd';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'rstd', rstd, rows);
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'w', w, width);
  if (residual) expectElements(name, 'residual', residual, rows * width);
  const lanes = lanesFor(width);
  const parts = [lanes.wgsl, fwd, residual ? withResidual : NO_RESIDUAL];
  return dispatch(
    kernel(name, parts, { OFFSET: offset }, `${lanes.variant}${residual ? '.residual' : ''}`),
    label,
    { y, rstd, x, w, ...(residual && { residual }) },
    { ...liveParams(rows, live), width, eps },
    [...rowGrid(rows, live), 1],
    {
      flops: rowAmount(rows, live, 4 * width),
      bytes: rowAmount(rows, live, (residual ? 12 : 8) * width + 4, 4 * width),
    },
  );
}

export interface RmsNormBwdDxArgs extends RmsNormSizes {
  readonly dx: View;
  readonly dy: View;
  readonly x: View;
  readonly rstd: View;
  readonly w: View;
  /** Added to the weight. Default: 0. */
  readonly offset?: 0 | 1;
  /** Add to dx (the gradient of the residual stream) instead of assigning it. */
  readonly accumulate: boolean;
}

export function rmsNormBwdDx({ label, dx, dy, x, rstd, w, rows, width, offset = 0, accumulate, live }: RmsNormBwdDxArgs): Dispatch {
  const name = 'rms_norm_bwd_dx';
  expectElements(name, 'dx', dx, rows * width);
  expectElements(name, 'dy', dy, rows * width);
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'rstd', rstd, rows);
  expectElements(name, 'w', w, width);
  const lanes = lanesFor(width);
  const params = { ...liveParams(rows, live), width, accumulate: accumulate ? 1 : 0 };
  return dispatch(
    kernel(name, [lanes.wgsl, bwdDx], { OFFSET: offset }, lanes.variant),
    label,
    { dx, dy, x, rstd, w },
    params,
    [...rowGrid(rows, live), 1],
    {
      flops: rowAmount(rows, live, 8 * width),
      bytes: rowAmount(rows, live, (accumulate ? 16 : 12) * width + 4, 4 * width),
    },
  );
}

export interface RmsNormBwdDwArgs extends RmsNormSizes {
  readonly dw: View;
  readonly dy: View;
  readonly x: View;
  readonly rstd: View;
}

/** dw over the live rows; assigned in the first micro-batch of a step, added to after it. */
export function rmsNormBwdDw({ label, dw, dy, x, rstd, rows, width, live }: RmsNormBwdDwArgs): Dispatch {
  const name = 'rms_norm_bwd_dw';
  expectElements(name, 'dw', dw, width);
  expectElements(name, 'dy', dy, rows * width);
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'rstd', rstd, rows);
  return dispatch(kernel(name, [bwdDw]), label, { dw, dy, x, rstd }, { ...liveParams(rows, live), width }, [Math.ceil(width / 32), 1, 1], {
    flops: rowAmount(rows, live, 3 * width),
    bytes: rowAmount(rows, live, 8 * width + 4, 4 * width),
  });
}
