// Selects rows: the head runs only over the rows that count toward the loss (gather), and their gradient goes back into the
// whole stream (scatter).

import type { Dispatch, View } from '../../dispatch/types';
import { expectElements } from '../../dispatch/kernel';
import { elementwise } from '../lib/elementwise';
import type { Live } from '../lib/rowwise';
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
  /** u32, one per live row, indexed from live.row0 on. */
  readonly index: View;
}

/** y[m] = x[index[row0 + m]] for the live rows m of y [rows, width]. */
export function gatherRows({ label, y, x, index, rows, width, live }: GatherRowsArgs): Dispatch {
  const name = 'rows_gather';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'x', x, width);
  expectElements(name, 'index', index, (live?.row0 ?? 0) + rows);
  return elementwise(name, { label, wgsl: [gather], views: { y, x, index }, rows, width, live, flops: 0, bytes: 8 * width + 4 });
}

export interface ScatterRowsArgs extends RowsSizes {
  /** u32, one per live row: the row of x that goes there, or NO_ROW. Indexed from live.row0 on. */
  readonly inverse: View;
}

/** y[n] = x[inverse[row0 + n]], or 0 where that is NO_ROW, for all live rows n of y [rows, width]. */
export function scatterRows({ label, y, x, inverse, rows, width, live }: ScatterRowsArgs): Dispatch {
  const name = 'rows_scatter';
  expectElements(name, 'y', y, rows * width);
  expectElements(name, 'x', x, width);
  expectElements(name, 'inverse', inverse, (live?.row0 ?? 0) + rows);
  return elementwise(name, { label, wgsl: [scatter], views: { y, x, inverse }, rows, width, live, flops: 0, bytes: 8 * width + 4 });
}
