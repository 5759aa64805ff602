// Picking rows: the head runs only over the rows that carry a loss (gather), and their gradient goes back
// into the whole stream (scatter).

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { flatLaunch, lanesFor, liveParams, rowAmount, type Live } from '../lib/rowwise';
import gather from './rows_gather.wgsl?raw';
import scatter from './rows_scatter.wgsl?raw';

/** Marks a row that receives nothing in scatterRows. */
export const NO_ROW = 0xffffffff;

interface RowsSizes {
  readonly label: string;
  readonly y: View;
  readonly x: View;
  /** Capacity in rows of y. */
  readonly rows: number;
  readonly width: number;
  /** Live rows of y. */
  readonly live?: Live;
}

export interface GatherRowsArgs extends RowsSizes {
  /** u32, by live row: indexed from live.row0 on. */
  readonly index: View;
}

/** y[m] = x[index[row0 + m]] for the live rows m of y [rows, width]. */
export function gatherRows({ label, y, x, index, rows, width, live }: GatherRowsArgs): Dispatch {
  const name = 'rows_gather';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'x', x, width);
  expectElements(name, 'index', index, (live?.row0 ?? 0) + rows);
  return copyRows(name, gather, label, { y, x, index }, rows, width, live);
}

export interface ScatterRowsArgs extends RowsSizes {
  /** u32, by live row: the row of x that goes there, or NO_ROW. Indexed from live.row0 on. */
  readonly inverse: View;
}

/** y[n] = x[inverse[row0 + n]], or 0 where that is NO_ROW, for all live rows n of y [rows, width]. */
export function scatterRows({ label, y, x, inverse, rows, width, live }: ScatterRowsArgs): Dispatch {
  const name = 'rows_scatter';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'x', x, width);
  expectElements(name, 'inverse', inverse, (live?.row0 ?? 0) + rows);
  return copyRows(name, scatter, label, { y, x, inverse }, rows, width, live);
}

function copyRows(
  name: string,
  wgsl: string,
  label: string,
  views: Record<string, View>,
  rows: number,
  width: number,
  live?: Live,
): Dispatch {
  const lanes = lanesFor(width);
  const steps = width / lanes.count;
  const { grid, repeat } = flatLaunch(rows, live, steps);
  return dispatch(
    kernel(name, [lanes.wgsl, wgsl], { REPEAT: repeat }, lanes.variant),
    label,
    views,
    { ...liveParams(rows, live), steps },
    grid,
    {
      flops: {},
      bytes: rowAmount(rows, live, 8 * width + 4),
    },
  );
}
