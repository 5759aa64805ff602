// The soft cap of a chunk of logits, before the loss or sampling; its gradient is in cross_entropy.wgsl.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { lanesFor, liveParams, rowAmount, rowGrid, type Live } from '../lib/rowwise';
import wgsl from './softcap.wgsl?raw';

export interface SoftcapArgs {
  readonly label: string;
  /** [rows, stride] f32, capped in place. */
  readonly x: View;
  /** Above 0. */
  readonly cap: number;
  /** Capacity in rows. */
  readonly rows: number;
  readonly stride: number;
  readonly live?: Live;
}

/** x ← cap · tanh(x / cap). Throws SHAPE_MISMATCH. */
export function softcap({ label, x, cap, rows, stride, live }: SoftcapArgs): Dispatch {
  const name = 'softcap';
  expectElements(name, 'x', x, rows * stride);
  const lanes = lanesFor(stride);
  const params = { ...liveParams(rows, live), steps: stride / lanes.count, cap };
  return dispatch(kernel(name, [lanes.wgsl, wgsl], {}, lanes.variant), label, { x }, params, [...rowGrid(rows, live), 1], {
    flops: rowAmount(rows, live, 8 * stride),
    bytes: rowAmount(rows, live, 8 * stride),
  });
}
