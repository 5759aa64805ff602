// The launch of an elementwise kernel: it defines item(i), which elementwise.wgsl calls for every item of the live rows.

import { dispatch, kernel } from '../../dispatch/kernel';
import type { Dispatch, View } from '../../dispatch/types';
import frame from './elementwise.wgsl?raw';
import { flatLaunch, lanesFor, liveParams, rowAmount, type Lanes, type Live } from './rowwise';

export interface Elementwise {
  readonly label: string;
  /** Defines item(i) and what it calls. */
  readonly wgsl: readonly string[];
  readonly constants?: Readonly<Record<string, number>>;
  readonly views: Readonly<Record<string, View>>;
  /** Capacity in rows, and the elements of a row. */
  readonly rows: number;
  readonly width: number;
  /** Where not only the width decides: default lanesFor(width). */
  readonly lanes?: Lanes;
  readonly live?: Live;
  /** Operations and bytes per row. */
  readonly flops: number;
  readonly bytes: number;
}

export function elementwise(name: string, args: Elementwise): Dispatch {
  const { label, wgsl, constants, views, rows, width, lanes = lanesFor(width), live, flops, bytes } = args;
  const steps = width / lanes.count;
  const { grid, repeat } = flatLaunch(rows, live, steps);
  const of = kernel(name, [lanes.wgsl, frame, ...wgsl], { ...constants, REPEAT: repeat }, lanes.variant);
  return dispatch(of, label, views, { ...liveParams(rows, live), steps }, grid, {
    flops: rowAmount(rows, live, flops),
    bytes: rowAmount(rows, live, bytes),
  });
}
