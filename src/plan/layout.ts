// Where the tensors of a block lie in its buffer. One buffer a block, so that the optimizer updates a layer in
// one dispatch: first what weight decay applies to, then the rest; every tensor or fused group starts at a
// multiple of 256 bytes so that it can be bound by itself. Gradient, m and v of a block have the same layout.

import { AppError } from '../errors';
import { elementsOf, type BlockName, type ParameterRow } from '../model/types';
import { BINDING_ALIGNMENT, roundUp, type BufferSpec, type View } from './types';

export interface Placement {
  /** Bytes from the start of the block. */
  readonly offset: number;
  readonly elements: number;
}

export interface BlockLayout {
  readonly bytes: number;
  /** Elements from the start that weight decay applies to; a multiple of 64. */
  readonly decayElements: number;
  /** By local tensor name, and by fused-group name. */
  readonly places: ReadonlyMap<string, Placement>;
  /** Parameters without padding. */
  readonly parameters: number;
}

/** A tensor to place: parameter rows, or the matrices of a LoRA adapter. */
export type Placeable = Pick<ParameterRow, 'local' | 'role' | 'shape' | 'fused'>;

/** Weight decay applies to matrices and embeddings, not to norms and biases (design of AdamW runs since GPT-2). */
const decays = (row: Placeable): boolean => row.role !== 'norm' && row.role !== 'bias';

export function layoutBlock(rows: readonly Placeable[]): BlockLayout {
  const places = new Map<string, Placement>();
  let at = 0;
  const place = (row: Placeable, previous: Placeable | undefined): void => {
    const joins = row.fused !== null && previous?.fused === row.fused;
    if (!joins) at = roundUp(at, BINDING_ALIGNMENT);
    const elements = elementsOf(row);
    if (row.fused !== null) {
      const group = places.get(row.fused);
      places.set(row.fused, { offset: group?.offset ?? at, elements: (group?.elements ?? 0) + elements });
    }
    places.set(row.local, { offset: at, elements });
    at += elements * 4;
  };
  const first = rows.filter(decays);
  const rest = rows.filter((row) => !decays(row));
  first.forEach((row, i) => place(row, first[i - 1]));
  at = roundUp(at, BINDING_ALIGNMENT);
  const decayElements = at / 4;
  rest.forEach((row, i) => place(row, rest[i - 1]));
  return { bytes: roundUp(at, BINDING_ALIGNMENT), decayElements, places, parameters: rows.reduce((sum, row) => sum + elementsOf(row), 0) };
}

/** The range of one tensor or fused group. Padded to 16 bytes, so that vec4 bindings reach the last element. */
export function tensorView(buffer: BufferSpec, layout: BlockLayout, name: string): View {
  const place = layout.places.get(name);
  if (!place) throw new AppError('INTERNAL', `Block ${buffer.name} has no tensor ${name}.`, '');
  return { buffer, offset: place.offset, bytes: roundUp(place.elements * 4, 16) };
}

/** Longest range of one binding: WebGPU's default limit. */
const MAX_RANGE_BYTES = 134217728;

/** [offset, bytes] of the pieces in which a whole buffer of `bytes` is bound. */
export function rangesOf(bytes: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (let offset = 0; offset < bytes; offset += MAX_RANGE_BYTES) ranges.push([offset, Math.min(MAX_RANGE_BYTES, bytes - offset)]);
  return ranges;
}

/** Rows of a matrix of `columns` that one binding holds: a multiple of 64, so that each part starts at one of 256 bytes. */
export const rowsOfBinding = (columns: number): number => Math.max(64, Math.floor(MAX_RANGE_BYTES / (4 * columns) / 64) * 64);

/** Rows [first, end) of a matrix of `columns`; first is a multiple of 64. */
export const matrixRows = ({ buffer, offset }: View, first: number, end: number, columns: number): View => ({
  buffer,
  offset: offset + first * columns * 4,
  bytes: (end - first) * columns * 4,
});

/** Rows of the parameter table by block, in table order. */
export function rowsByBlock(table: readonly ParameterRow[]): Map<BlockName, ParameterRow[]> {
  const blocks = new Map<BlockName, ParameterRow[]>();
  for (const row of table) {
    const rows = blocks.get(row.block);
    if (rows) rows.push(row);
    else blocks.set(row.block, [row]);
  }
  return blocks;
}
