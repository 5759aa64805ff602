// The norm of all gradients of a step in two parts: sums of squares of each range, then their ordered sum,
// the clip factor and the check for non-finite numbers.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { padded } from '../lib/rowwise';
import { STATS_ELEMENTS } from '../loss/stats';
import clip from './clip.wgsl?raw';
import squares from './grad_norm_squares.wgsl?raw';
import norm from './grad_norm.wgsl?raw';
import block from './grad_norm_block.wgsl?raw';

const MOST_GROUPS = 128;

/** How many partial sums gradSquares writes for a range: a function of its size alone. */
export const squareGroups = (elements: number): number => Math.min(MOST_GROUPS, Math.max(1, Math.ceil(elements / 4096)));

export interface GradSquaresArgs {
  readonly label: string;
  readonly partials: View;
  /** A gradient, f32. */
  readonly x: View;
  readonly elements: number;
  /** First of the squareGroups(elements) places in partials. */
  readonly at: number;
}

export function gradSquares({ label, partials, x, elements, at }: GradSquaresArgs): Dispatch {
  const name = 'grad_norm_squares';
  const groups = squareGroups(elements);
  expectElements(name, 'partials', partials, at + groups);
  expectElements(name, 'x', x, elements);
  return dispatch(kernel(name, [squares]), label, { partials, x: padded(x) }, { elements, at, groups }, [groups, 1, 1], {
    flops: { one: 2 * elements },
    bytes: { one: 4 * elements + 4 * groups },
  });
}

export interface GradNormArgs {
  readonly label: string;
  /** f32[8], see stats.ts. */
  readonly stats: View;
  readonly partials: View;
  /** Partial sums in use. */
  readonly count: number;
  /** Largest norm that is left as it is; 0 turns clipping off. */
  readonly maxNorm: number;
}

/** Reads stats.loss and stats.bad; writes gradNorm, clip and bad. Runs after lossReduce of the last micro-batch. */
export function gradNorm({ label, stats, partials, count, maxNorm }: GradNormArgs): Dispatch {
  const name = 'grad_norm';
  expectElements(name, 'stats', stats, STATS_ELEMENTS);
  expectElements(name, 'partials', partials, count);
  return dispatch(kernel(name, [clip, norm]), label, { stats, partials }, { count, max_norm: maxNorm }, [1, 1, 1], {
    flops: { one: count },
    bytes: { one: 4 * count + 12 },
  });
}

export interface BlockNormArgs extends GradNormArgs {
  /** f32[8], laid out like stats: what AdamW of this block reads in its place. In another buffer than stats. */
  readonly block: View;
}

/** Clipping by the norm of one block alone. Reads stats.loss and stats.bad; writes gradNorm, clip and bad of `block`. */
export function blockNorm({ label, block: own, stats, partials, count, maxNorm }: BlockNormArgs): Dispatch {
  const name = 'grad_norm_block';
  expectElements(name, 'block', own, STATS_ELEMENTS);
  expectElements(name, 'stats', stats, STATS_ELEMENTS);
  expectElements(name, 'partials', partials, count);
  return dispatch(kernel(name, [clip, block]), label, { block: own, stats, partials }, { count, max_norm: maxNorm }, [1, 1, 1], {
    flops: { one: count },
    bytes: { one: 4 * count + 20 },
  });
}
