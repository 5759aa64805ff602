// A vocabulary's matrix of which only the rows of some tokens train: those rows have f32 masters, gradients and optimizer state in a
// layout of their own, in the order of their tokens, and the whole matrix stays as it is. A table of learned positions trains in place, as
// far as rows of the run reach.

import { rowsOfShard } from '../model/shards';
import type { ParameterRow } from '../model/types';
import { roundUp } from '../dispatch/types';
import type { PlanInput } from './input';
import { layoutBlock, type BlockLayout } from './layout';
import type { Block } from './run-buffers';
import { viewsOf, type ShardedBuffer } from './sharded-buffer';
import { asF32 } from './storage';

/** What trains of a block of which some rows train. Positions begin a buffer of their own. */
export function trainedRowsLayout(block: readonly ParameterRow[], input: PlanInput): BlockLayout {
  const { trainedRows, shardBytes } = input;
  const part = block.map((row): ParameterRow => {
    const [, width] = row.shape;
    if (row.role === 'position') return { ...row, shape: [trainedPositions(row, input), width] };
    return { ...asF32(row), shape: [trainedRows.count, width], shards: Math.ceil(trainedRows.count / rowsOfShard(width, shardBytes)) };
  });
  const layout = layoutBlock(part, shardBytes);
  const positions = block.find(({ role }) => role === 'position');
  if (!positions) return layout;
  const { offset } = layout.places.get(positions.local)!;
  return { ...layout, cuts: [...layout.cuts.filter(({ at }) => at < offset), { at: offset }] };
}

/** T, or a few more so that the optimizer's steps of four elements end with a row. */
function trainedPositions({ shape: [positions, width] }: ParameterRow, { seqLen }: PlanInput): number {
  return Math.min(positions, width % 4 === 0 ? seqLen : roundUp(seqLen, 4));
}

/** The weights that train, in this layout: buffers that `make` describes, and behind them the block's own positions. */
export function rowsMaster(
  { weights, layout: whole, rows }: Block,
  layout: BlockLayout,
  make: (part: BlockLayout) => ShardedBuffer,
): ShardedBuffer {
  const positions = rows.find(({ role }) => role === 'position');
  if (!positions) return make(layout);
  const { offset: at, elements } = layout.places.get(positions.local)!;
  const own = make({ ...layout, bytes: at, cuts: layout.cuts.filter((cut) => cut.at < at) });
  const [view] = viewsOf(weights, whole.places.get(positions.local)!.offset, elements * 4);
  return { ...own, bytes: at + view.bytes, shards: [...own.shards, { at, view }] };
}
