// RMS norm of every q and k head (Qwen3's q_norm and k_norm) over the fused q, k, v activation: forward, gradient of the
// input, gradient of the weights. Forward and input gradient work in place; the forward keeps what they need.
// Shapes: qkv, dqkv [N, (H + 2K)·D]; raw [N, (H + K)·D]; rstd [N, H + K]; w, dw [2, D]: q's and k's; all f32.

import type { Dispatch, View } from '../../dispatch/types';
import { headLayout, type HeadSizes } from '../attention/attention_layout';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { lanesFor } from '../lib/rowwise';
import fwd from './rms_norm_heads_fwd.wgsl?raw';
import bwdDx from './rms_norm_heads_bwd_dx.wgsl?raw';
import bwdDw from './rms_norm_heads_bwd_dw.wgsl?raw';

interface RmsNormHeadsSizes extends HeadSizes {
  readonly label: string;
  /** Capacity in rows. */
  readonly rows: number;
}

export interface RmsNormHeadsFwdArgs extends RmsNormHeadsSizes {
  /** Its q and k heads are replaced; its v heads stay. */
  readonly qkv: View;
  /** Receives the q and k heads as they were. */
  readonly raw: View;
  readonly rstd: View;
  readonly w: View;
  readonly eps: number;
  /** Added to the weights. Default: 0. */
  readonly offset?: 0 | 1;
}

interface Checked {
  /** H + K */
  readonly normed: number;
  readonly constants: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
}

function checked(name: string, { rows, heads, kvHeads, headDim }: RmsNormHeadsSizes, qkv: [string, View], raw: View, rstd: View): Checked {
  const { width } = headLayout(name, { heads, kvHeads, headDim });
  const normed = heads + kvHeads;
  expectElements(name, qkv[0], qkv[1], rows * width);
  expectElements(name, 'raw', raw, rows * normed * headDim);
  expectElements(name, 'rstd', rstd, rows * normed);
  return { normed, constants: { HEAD_DIM: headDim }, params: { rows, heads, kv_heads: kvHeads } };
}

export function rmsNormHeadsFwd(args: RmsNormHeadsFwdArgs): Dispatch {
  const { label, qkv, raw, rstd, w, eps, offset = 0, headDim } = args;
  const name = 'rms_norm_heads_fwd';
  const { normed, constants, params } = checked(name, args, ['qkv', qkv], raw, rstd);
  expectElements(name, 'w', w, 2 * headDim);
  const lanes = lanesFor(headDim);
  return dispatch(
    kernel(name, [lanes.wgsl, fwd], { ...constants, OFFSET: offset }, lanes.variant),
    label,
    { qkv, raw, rstd, w },
    { ...params, eps },
    [{ extent: 'rows', per: 1 }, normed, 1],
    { flops: { rows: 4 * normed * headDim }, bytes: { rows: normed * (12 * headDim + 4), one: 8 * headDim } },
  );
}

export interface RmsNormHeadsBwdDxArgs extends RmsNormHeadsSizes {
  /** Gradient of the normed heads, replaced by the gradient of the raw ones; its v heads stay. */
  readonly dqkv: View;
  readonly raw: View;
  readonly rstd: View;
  readonly w: View;
  /** Added to the weights. Default: 0. */
  readonly offset?: 0 | 1;
}

export function rmsNormHeadsBwdDx(args: RmsNormHeadsBwdDxArgs): Dispatch {
  const { label, dqkv, raw, rstd, w, offset = 0, headDim } = args;
  const name = 'rms_norm_heads_bwd_dx';
  const { normed, constants, params } = checked(name, args, ['dqkv', dqkv], raw, rstd);
  expectElements(name, 'w', w, 2 * headDim);
  const lanes = lanesFor(headDim);
  return dispatch(
    kernel(name, [lanes.wgsl, bwdDx], { ...constants, OFFSET: offset }, lanes.variant),
    label,
    { dqkv, raw, rstd, w },
    params,
    [{ extent: 'rows', per: 1 }, normed, 1],
    { flops: { rows: 8 * normed * headDim }, bytes: { rows: normed * (12 * headDim + 4), one: 8 * headDim } },
  );
}

export interface RmsNormHeadsBwdDwArgs extends RmsNormHeadsSizes {
  readonly dw: View;
  /** Gradient of the normed heads. */
  readonly dqkv: View;
  readonly raw: View;
  readonly rstd: View;
}

/** dw over the live rows; assigned in the first micro-batch of a step, added to after it. */
export function rmsNormHeadsBwdDw(args: RmsNormHeadsBwdDwArgs): Dispatch {
  const { label, dw, dqkv, raw, rstd, headDim } = args;
  const name = 'rms_norm_heads_bwd_dw';
  const { normed, constants, params } = checked(name, args, ['dqkv', dqkv], raw, rstd);
  expectElements(name, 'dw', dw, 2 * headDim);
  return dispatch(kernel(name, [bwdDw], constants), label, { dw, dqkv, raw, rstd }, params, [Math.ceil(headDim / 8), 2, 1], {
    flops: { rows: 3 * normed * headDim },
    bytes: { rows: normed * (8 * headDim + 4), one: 8 * headDim },
  });
}
