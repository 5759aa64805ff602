// Token embedding with optional learned positions: forward, and the gradient of either table.
// Shapes: x, dx [rows, width]; table, dw [vocab, width]; positions [context, width], all f32; tokens, segStart
// [rows] u32: segStart[n] is the row at which the segment of row n starts.

import { elementBytes, type Dispatch, type View } from '../../dispatch/types';
import type { Amount } from '../../dispatch/extents';
import { dispatch, expectElements, kernel, MAX_GROUPS, shapeError } from '../../dispatch/kernel';
import { loadSnippet } from '../matmul/operand';
import { FLAT_SIZE, flatLaunch, lanesFor, liveParams, rowAmount, type Live } from '../lib/rowwise';
import fwd from './embedding_fwd.wgsl?raw';
import tableF32 from './embedding_table.wgsl?raw';
import tablePacked from './embedding_table_packed.wgsl?raw';
import withPositions from './embedding_positions.wgsl?raw';
import bwd from './embedding_bwd_dw.wgsl?raw';

/** The rows of a table that a view holds if one binding is too small for all of them. */
export interface TableShard {
  readonly first: number;
  readonly count: number;
}

const WHOLE: TableShard = { first: 0, count: 0xffffffff };

const NO_POSITIONS = 'fn position_part(row: u32, step: u32) -> V { return V(0.0); }\n';

export interface EmbeddingFwdArgs {
  readonly label: string;
  readonly x: View;
  readonly tokens: View;
  /** f32, or packed (View.stored) if its rows are whole quads. */
  readonly table: View;
  /** Learned positions; comes with segStart. */
  readonly positionTable?: View;
  readonly segStart?: View;
  /** The table view holds only these rows; rows of x with other ids stay as they are. */
  readonly shard?: TableShard;
  /** Of rows of the table; default: 1. */
  readonly scale?: number;
  /** Capacity in rows. */
  readonly rows: number;
  readonly width: number;
  readonly live?: Live;
}

/** x[n] = scale · table[tokens[n]] (+ positionTable[n − segStart[n] + frame.past]). Ids must be checked on the host. */
export function embeddingFwd({
  label,
  x,
  tokens,
  table,
  positionTable,
  segStart,
  shard = WHOLE,
  scale = 1,
  rows,
  width,
  live,
}: EmbeddingFwdArgs): Dispatch {
  const name = 'embedding_fwd';
  if (!positionTable !== !segStart) throw shapeError(name, 'positions', 'positionTable and segStart together', 'one of them');
  expectElements(name, 'x', x, rows * width);
  expectElements(name, 'tokens', tokens, rows);
  expectElements(name, 'table', table, width);
  if (positionTable) expectElements(name, 'positions', positionTable, width);
  if (segStart) expectElements(name, 'seg_start', segStart, rows);
  const lanes = lanesFor(width);
  const { stored } = table;
  if (stored && lanes.count !== 4) throw shapeError(name, 'table', 'rows of whole quads where it is packed', `${width} columns`);
  const steps = width / lanes.count;
  const { grid, repeat } = flatLaunch(rows, live, steps);
  const tables = positionTable ? 2 : 1;
  const of = kernel(
    name,
    [
      lanes.wgsl,
      ...(stored ? [loadSnippet('table', 4, stored), tablePacked] : [tableF32]),
      fwd,
      positionTable ? withPositions : NO_POSITIONS,
    ],
    { REPEAT: repeat },
    `${lanes.variant}${stored ? `.${stored}` : ''}${positionTable ? '.positions' : ''}`,
  );
  const views = { x, tokens, table, ...(positionTable && segStart && { positions: positionTable, seg_start: segStart }) };
  return dispatch(of, label, views, { ...liveParams(rows, live), steps, first: shard.first, count: shard.count, scale }, grid, {
    flops: rowAmount(rows, live, (tables - 1 + (scale === 1 ? 0 : 1)) * width),
    bytes: rowAmount(rows, live, width * (4 * tables + elementBytes(table)) + 4 * tables),
  });
}

export interface EmbeddingBwdDwArgs {
  readonly label: string;
  readonly dw: View;
  /** By which rows of the table were multiplied; default: 1. */
  readonly scale?: number;
  /** dw holds only these rows of the table; other groups are left out. */
  readonly shard?: TableShard;
  readonly dx: View;
  /** Row indices sorted by id; rows of equal id in ascending order. */
  readonly order: View;
  /** Where each group starts in order, and the end of the last one. */
  readonly groupStart: View;
  readonly groupId: View;
  /** Capacity in rows, and in groups. */
  readonly rows: number;
  readonly groups: number;
  readonly width: number;
  /** The live count of the frame that limits the groups. */
  readonly extent: 'tokenGroups' | 'positionGroups';
}

/** Adds scale times the sums of dx by id to the rows of dw. In the first micro-batch of a step, dw is cleared or assigned before. */
export function embeddingBwdDw({
  label,
  dw,
  scale = 1,
  shard = WHOLE,
  dx,
  order,
  groupStart,
  groupId,
  rows,
  groups,
  width,
  extent,
}: EmbeddingBwdDwArgs): Dispatch {
  const name = 'embedding_bwd_dw';
  expectElements(name, 'dw', dw, width);
  expectElements(name, 'dx', dx, rows * width);
  expectElements(name, 'order', order, rows);
  expectElements(name, 'group_start', groupStart, groups + 1);
  expectElements(name, 'group_id', groupId, groups);
  const lanes = lanesFor(width);
  const steps = width / lanes.count;
  const of = kernel(name, [lanes.wgsl, bwd], { POSITIONS: extent === 'positionGroups' ? 1 : 0 }, lanes.variant);
  const flops: Amount = { rows: width };
  return dispatch(
    of,
    label,
    { dw, dx, order, group_start: groupStart, group_id: groupId },
    { steps, first: shard.first, count: shard.count, scale },
    [Math.ceil(steps / FLAT_SIZE), { extent, per: 1, limit: groups, most: MAX_GROUPS }, { extent, per: MAX_GROUPS, limit: groups }],
    {
      flops,
      bytes: { rows: 4 * width + 4, [extent]: 8 * width + 8 },
    },
  );
}
