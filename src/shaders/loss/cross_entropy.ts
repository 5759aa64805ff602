// Softmax cross entropy over one chunk of target rows, its gradient in place, and the reduction to one loss.
// Losses are natural logarithms.

import { roundUp, type Dispatch, type View } from '../../dispatch/types';
import { dispatch, expectElements, kernel, shapeError } from '../../dispatch/kernel';
import { lanesFor, liveParams, rowAmount, rowGrid, type Live } from '../lib/rowwise';
import { STATS_ELEMENTS } from './stats';
import rowLoss from './cross_entropy.wgsl?raw';
import reduce from './cross_entropy_reduce.wgsl?raw';

export interface CrossEntropyArgs {
  readonly label: string;
  /** [rows, stride] f32: the chunk; if `train`, its gradient overwrites it, with 0 in the padding of rows. */
  readonly logits: View;
  /** u32, one per target, below vocab: entry live.row0 + r belongs to row r of the chunk. */
  readonly labels: View;
  /** f32, one per target, indexed like labels. */
  readonly losses: View;
  /** Capacity of the chunk in rows. */
  readonly rows: number;
  readonly vocab: number;
  /** From one row to the next. Default: vocab. */
  readonly stride?: number;
  readonly live?: Live;
  /** Overwrite logits by (softmax − onehot) · frame.loss_scale. */
  readonly train: boolean;
  /** What the logits were multiplied by: the gradient is that of the product before. Default: 1. */
  readonly scale?: number;
  /** The logits went through softcap(): the gradient is that of the logits before it. */
  readonly cap?: number;
}

export function crossEntropy({
  label,
  logits,
  labels,
  losses,
  rows,
  vocab,
  stride = vocab,
  live,
  train,
  scale = 1,
  cap = 0,
}: CrossEntropyArgs): Dispatch {
  const name = 'cross_entropy';
  const targets = (live?.row0 ?? 0) + rows;
  expectElements(name, 'logits', logits, rows * stride);
  expectElements(name, 'labels', labels, targets);
  expectElements(name, 'losses', losses, targets);
  const lanes = lanesFor(stride);
  if (stride !== roundUp(vocab, lanes.count))
    throw shapeError(name, 'stride', `the vocabulary ${vocab}, or that in whole quads`, String(stride));
  // A short row cannot keep a large workgroup busy, and each member of it costs all others one merge.
  const size = vocab >= 8192 ? 128 : 32;
  const of = kernel(
    name,
    [lanes.wgsl, rowLoss],
    { SIZE: size, TRAIN: train ? 1 : 0, INSIDE: vocab % lanes.count || lanes.count, CAPPED: cap > 0 ? 1 : 0 },
    lanes.variant,
  );
  return dispatch(
    of,
    label,
    { logits, labels, losses },
    { ...liveParams(rows, live), steps: stride / lanes.count, cap, scale },
    [...rowGrid(rows, live), 1],
    {
      flops: rowAmount(rows, live, (train ? 9 : 6) * vocab),
      bytes: rowAmount(rows, live, (train ? 8 : 4) * vocab + 8),
    },
  );
}

export interface LossReduceArgs {
  readonly label: string;
  /** f32[8], see stats.ts. */
  readonly stats: View;
  /** f32, one per target. */
  readonly losses: View;
  /** Capacity in targets. */
  readonly rows: number;
  readonly live?: Live;
}

/** stats.loss = Σ losses · frame.loss_scale, or += after the first micro-batch of a step. */
export function lossReduce({ label, stats, losses, rows, live }: LossReduceArgs): Dispatch {
  const name = 'cross_entropy_reduce';
  expectElements(name, 'stats', stats, STATS_ELEMENTS);
  expectElements(name, 'losses', losses, (live?.row0 ?? 0) + rows);
  return dispatch(kernel(name, [reduce]), label, { stats, losses }, liveParams(rows, live), [1, 1, 1], {
    flops: rowAmount(rows, live, 1),
    bytes: rowAmount(rows, live, 4, 4),
  });
}
