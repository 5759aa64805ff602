// Columns of the logits by token: where some rows of the head's matrix train in a matrix of their own, their logits are computed
// apart, put into the others before the loss, and their gradients taken out after it.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, kernel } from '../../dispatch/kernel';
import { flatLaunch, liveParams, rowAmount, type Live } from '../lib/rowwise';
import frame from './columns.wgsl?raw';
import putWgsl from './columns_put.wgsl?raw';
import takeWgsl from './columns_take.wgsl?raw';

export interface ColumnsArgs {
  readonly label: string;
  /** [rows, stride] f32: all columns. */
  readonly whole: View;
  /** [rows, columns] f32: the columns that index names, in its order. */
  readonly part: View;
  /** [columns] u32, all different, below stride. */
  readonly index: View;
  /** Capacity in rows. */
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
  readonly live?: Live;
}

/** whole[r, index[j]] = part[r, j]. */
export const putColumns = (args: ColumnsArgs): Dispatch => copyColumns('columns_put', putWgsl, args, { y: args.whole, x: args.part });

/** part[r, j] = whole[r, index[j]], and those elements of whole become 0. */
export const takeColumns = (args: ColumnsArgs): Dispatch => copyColumns('columns_take', takeWgsl, args, { y: args.part, x: args.whole });

function copyColumns(name: string, wgsl: string, args: ColumnsArgs, views: { readonly y: View; readonly x: View }): Dispatch {
  const { label, whole, part, index, rows, columns, stride, live } = args;
  expectElements(name, 'whole', whole, rows * stride);
  expectElements(name, 'part', part, rows * columns);
  expectElements(name, 'index', index, columns);
  const { grid, repeat } = flatLaunch(rows, live, columns);
  return dispatch(
    kernel(name, [frame, wgsl], { REPEAT: repeat }),
    label,
    { ...views, index },
    { ...liveParams(rows, live), columns, stride },
    grid,
    {
      flops: {},
      bytes: rowAmount(rows, live, (name === 'columns_take' ? 16 : 8) * columns, 4 * columns),
    },
  );
}
