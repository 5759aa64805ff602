// Sum over the rows of a matrix or of a range of its columns: the gradient of a bias.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel, shapeError } from '../../dispatch/kernel';
import { liveParams, rowAmount, type Live } from '../lib/rowwise';
import wgsl from './column_sum.wgsl?raw';

export interface ColumnSumArgs {
  readonly label: string;
  /** [width] f32. */
  readonly db: View;
  /** [rows, ldy] f32. */
  readonly dy: View;
  /** Capacity in rows. */
  readonly rows: number;
  readonly width: number;
  /** Elements from one row of dy to the next; width by default. */
  readonly ldy?: number;
  /** First column that is summed; 0 by default. */
  readonly y0?: number;
  readonly live?: Live;
}

/** db[c] = Σ_n dy[n, y0 + c] over the live rows; assigned in the first micro-batch of a step, added to after it. */
export function columnSum({ label, db, dy, rows, width, ldy = width, y0 = 0, live }: ColumnSumArgs): Dispatch {
  const name = 'column_sum';
  if (y0 + width > ldy) throw shapeError(name, 'dy', `columns ${y0}…${y0 + width}`, `${ldy} columns`);
  expectElements(name, 'db', db, width);
  expectElements(name, 'dy', dy, (rows - 1) * ldy + y0 + width);
  return dispatch(
    kernel(name, [wgsl]),
    label,
    { db, dy },
    { ...liveParams(rows, live), width, ld: ldy, y0 },
    [Math.ceil(width / 32), 1, 1],
    {
      flops: rowAmount(rows, live, width),
      bytes: rowAmount(rows, live, 4 * width, 4 * width),
    },
  );
}
