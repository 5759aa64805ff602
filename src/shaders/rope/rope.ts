// Rotary position embedding over the fused q, k, v activation: one kernel for the forward and its adjoint.

import type { Dispatch, View } from '../../dispatch/types';
import { headLayout, laneSource } from '../attention/attention_layout';
import { dispatch, expectElements, kernel, shapeError } from '../../dispatch/kernel';
import ropeWgsl from './rope.wgsl?raw';
import oneSegmentWgsl from './rope_one_segment.wgsl?raw';
import segmentsWgsl from './rope_segments.wgsl?raw';

export interface RopeArgs {
  readonly label: string;
  /** [N, (H + 2K)·D], turned in place. */
  readonly qkv: View;
  /** [tableRows, D / 2], from ropeTables. */
  readonly cos: View;
  readonly sin: View;
  /** u32 [N]; without it all rows are one segment (generation). */
  readonly segStart?: View;
  /** Capacity: the largest N. */
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Even. */
  readonly headDim: number;
  readonly tableRows: number;
  /** True turns backwards: the adjoint, for gradients. */
  readonly inverse: boolean;
}

/**
 * Turns the q and k heads of each token by the angles of its position, frame.past + n − segStart[n]. A position
 * at or past tableRows gives NaN. Throws SHAPE_MISMATCH.
 */
export function rope(args: RopeArgs): Dispatch {
  const { label, qkv, cos, sin, segStart, rows, heads, kvHeads, headDim, tableRows, inverse } = args;
  const name = 'rope';
  const { width } = headLayout(name, { heads, kvHeads, headDim });
  if (headDim % 2 !== 0) throw shapeError(name, 'headDim', 'an even number', String(headDim));
  if (tableRows < 1) throw shapeError(name, 'tableRows', '≥ 1', String(tableRows));
  expectElements(name, 'qkv', qkv, rows * width);
  expectElements(name, 'cos_table', cos, (tableRows * headDim) / 2);
  expectElements(name, 'sin_table', sin, (tableRows * headDim) / 2);
  if (segStart) expectElements(name, 'seg_start', segStart, rows);
  const lane = laneSource(headDim / 2);
  const parts = [lane.wgsl, segStart ? segmentsWgsl : oneSegmentWgsl, ropeWgsl];
  const turned = (heads + kvHeads) * headDim;
  return dispatch(
    kernel(name, parts, { HEAD_DIM: headDim }, segStart ? 'segments' : 'one'),
    label,
    { qkv, cos_table: cos, sin_table: sin, ...(segStart ? { seg_start: segStart } : {}) },
    { rows, heads, kv_heads: kvHeads, table_rows: tableRows, sign: inverse ? -1 : 1 },
    [{ extent: 'rows', per: 64, times: headDim / 2 / lane.width }, heads + kvHeads, 1],
    { flops: { rows: 3 * turned }, bytes: { rows: 8 * turned + 4 * headDim + (segStart ? 4 : 0) } },
  );
}
