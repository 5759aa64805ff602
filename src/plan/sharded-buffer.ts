// The memory of a block: one run of addresses, in as many buffers as its layout has cuts. Everything that handles a block or a
// tensor whole works with addresses; a kernel binds a range inside one buffer. A tensor of several shards is bound shard by shard.

import { AppError } from '../base/errors';
import type { BlockLayout, Placement } from './layout';
import { BINDING_ALIGNMENT, elementBytes, FULL_VIEW, roundUp, type BufferSpec, type View } from '../dispatch/types';

interface Shard {
  /** A buffer, or a range of one that others use at other times. */
  readonly view: View;
  /** Address of its first byte. */
  readonly at: number;
}

export interface ShardedBuffer {
  readonly name: string;
  readonly bytes: number;
  /** In order, without gaps between them. */
  readonly shards: readonly Shard[];
}

/** `make` describes one buffer; it receives the tensor's name if the buffer holds a single large tensor. */
export function shardedBuffer(
  name: string,
  layout: BlockLayout,
  make: (name: string, bytes: number, tensor?: string) => BufferSpec,
): ShardedBuffer {
  const { bytes, cuts } = layout;
  const shards = cuts.map(({ at, tensor }, index) => ({
    at,
    view: FULL_VIEW(make(cuts.length === 1 ? name : `${name}.${index}`, (cuts[index + 1]?.at ?? bytes) - at, tensor)),
  }));
  return { name, bytes, shards };
}

/**
 * The bytes [at, at + bytes) of a sharded buffer, with one view for every buffer that has some of them; `stored`: the type of their
 * elements.
 */
export function viewsOf({ shards }: ShardedBuffer, at: number, bytes: number, stored?: View['stored']): View[] {
  return shards.flatMap(({ view: { buffer, offset, bytes: length }, at: start }) => {
    const first = Math.max(at, start);
    const end = Math.min(at + bytes, start + length);
    return first < end ? [{ buffer, offset: offset + first - start, bytes: end - first, ...(stored && { stored }) }] : [];
  });
}

const placeOf = (sharded: ShardedBuffer, layout: BlockLayout, name: string): Placement => {
  const place = layout.places.get(name);
  if (!place) throw new AppError('INTERNAL', `Block ${sharded.name} has no tensor ${name}.`, '');
  return place;
};

/** Elements [start, end) of a tensor, by default all, where they lie. For reading and writing, not for kernels. */
export function tensorBytes(sharded: ShardedBuffer, layout: BlockLayout, name: string, start = 0, end?: number): View[] {
  const place = placeOf(sharded, layout, name);
  const width = elementBytes(place);
  return viewsOf(sharded, place.offset + start * width, ((end ?? place.elements) - start) * width, place.stored);
}

/** The range of one tensor or fused group that lies in one buffer. Padded to 16 bytes, so that vec4 bindings reach the last element. */
export function tensorView(sharded: ShardedBuffer, layout: BlockLayout, name: string): View {
  const place = placeOf(sharded, layout, name);
  const views = viewsOf(sharded, place.offset, roundUp(place.elements * elementBytes(place), 16), place.stored);
  if (views.length !== 1)
    throw new AppError('INTERNAL', `Tensor ${name} of ${sharded.name} is bound whole, but lies in several buffers.`, '');
  return views[0];
}

/** Some rows of a matrix, as a kernel binds them. */
export interface RowsView {
  readonly view: View;
  /** First row of them; a multiple of 64. */
  readonly first: number;
  readonly rows: number;
}

/** A matrix of `columns` as bindings: one, or one for every shard. */
export function tensorRows(sharded: ShardedBuffer, layout: BlockLayout, name: string, columns: number): RowsView[] {
  const { offset, elements, stored } = placeOf(sharded, layout, name);
  const width = elementBytes({ stored });
  let first = 0;
  return viewsOf(sharded, offset, elements * width, stored).map((piece): RowsView => {
    const rows = piece.bytes / (width * columns);
    const view = { ...piece, bytes: roundUp(piece.bytes, 16) };
    const shard = { view, first, rows };
    if (!Number.isInteger(rows) || view.offset % BINDING_ALIGNMENT !== 0)
      throw new AppError('INTERNAL', `Tensor ${name} of ${sharded.name} is not cut between rows.`, '');
    first += rows;
    return shard;
  });
}

/** Rows [first, end) of a matrix of `columns`; first is a multiple of 64. */
export const matrixRows = (view: View, first: number, end: number, columns: number): View => ({
  ...view,
  offset: view.offset + first * columns * elementBytes(view),
  bytes: (end - first) * columns * elementBytes(view),
});
