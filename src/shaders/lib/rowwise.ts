// What the row-wise and elementwise kernels share: live extents in grids and work, and the switch between
// vec4 and scalar rows. A body is written once over `V`, which is vec4f where rows are whole vec4s.

import { EXTENT_CODES, MAX_GROUPS } from '../../dispatch/kernel';
import { roundUp, type View } from '../../dispatch/types';
import type { Amount, Grid, GridDim } from '../../dispatch/extents';
import scalar from './rowwise_scalar.wgsl?raw';
import vec4 from './rowwise_vec4.wgsl?raw';

/** Which live extent limits the rows of a dispatch, and the first row of that extent that it covers. */
export interface Live {
  readonly extent: 'rows' | 'targets';
  readonly row0?: number;
}

/** The params by which a kernel asks live_rows(p.extent, p.row0, p.rows). */
export const liveParams = (rows: number, live?: Live): { rows: number; extent: number; row0: number } => ({
  rows,
  extent: EXTENT_CODES[live?.extent ?? 'none'],
  row0: live?.row0 ?? 0,
});

/** One workgroup per live row, in two dimensions of the grid, because one holds at most 65,535. WGSL: row = y · 65535u + x. */
export function rowGrid(rows: number, live: Live | undefined): readonly [GridDim, GridDim] {
  if (!live) return [Math.min(rows, MAX_GROUPS), Math.ceil(rows / MAX_GROUPS)];
  const dim = { extent: live.extent, from: live.row0 ?? 0, limit: rows };
  return [
    { ...dim, per: 1, most: MAX_GROUPS },
    { ...dim, per: MAX_GROUPS },
  ];
}

/** ceil(live rows · times / per) workgroups. */
function flatGrid(rows: number, live: Live | undefined, per: number, times: number): GridDim {
  return live ? { extent: live.extent, per, times, from: live.row0 ?? 0, limit: rows } : Math.ceil((rows * times) / per);
}

/**
 * perRow for every live row, plus once. A linear form cannot clip a range, so a dispatch with a row0 (one
 * chunk of several) counts all rows of its chunk.
 */
export function rowAmount(rows: number, live: Live | undefined, perRow: number, once = 0): Amount {
  return live && live.row0 === undefined ? { [live.extent]: perRow, one: once } : { one: rows * perRow + once };
}

/** How a row is stepped through: `wgsl` goes in front of a body and declares V, LANES and what differs by them. */
export interface Lanes {
  readonly count: 1 | 4;
  readonly wgsl: string;
  readonly variant: string;
}

/** vec4 if rows of all these widths start on whole vec4s, else scalars. */
export function lanesFor(...widths: readonly number[]): Lanes {
  return widths.every((width) => width % 4 === 0)
    ? { count: 4, wgsl: vec4, variant: 'vec4' }
    : { count: 1, wgsl: scalar, variant: 'scalar' };
}

export const FLAT_SIZE = 64;

/**
 * A launch over rows · perRow items with FLAT_SIZE invocations per workgroup. Each invocation takes `repeat` items, so that the largest launch stays within 65,535 workgroups.
 */
export function flatLaunch(rows: number, live: Live | undefined, perRow: number): { grid: Grid; repeat: number } {
  const repeat = Math.max(1, Math.ceil((rows * perRow) / (FLAT_SIZE * MAX_GROUPS)));
  return { grid: [flatGrid(rows, live, FLAT_SIZE * repeat, perRow), 1, 1], repeat };
}

/** The view up to the end of its last vec4; buffers are padded to 16 bytes and views start on 256. */
export const padded = (view: View): View => ({ ...view, bytes: roundUp(view.bytes, 16) });
