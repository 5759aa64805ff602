// Where the tensors of a block lie: addresses that run from 0, first the tensors with weight decay, then the rest; every tensor or
// fused group starts at a multiple of 256 bytes so that it can be bound by itself. Gradient, m and v of a block have the same layout.
// A block that fits one binding is one buffer, so that the optimizer updates a layer in one dispatch. A larger one is cut between tensors;
// a vocabulary matrix that is too large by itself is cut between rows (model/shards.ts).

import { SHARD_BYTES, rowsOfShard } from '../model/shards';
import { elementsOf, type BlockName, type ParameterRow } from '../model/types';
import { BINDING_ALIGNMENT, elementBytes, roundUp, type Stored } from '../dispatch/types';

export interface Placement {
  /** Bytes from the start of the block. */
  readonly offset: number;
  readonly elements: number;
  /** Type of packed elements; absent for f32. */
  readonly stored?: Stored;
}

/** Where a buffer of the block begins. */
interface Cut {
  readonly at: number;
  /** The only tensor or fused group in it, if that is larger than a shard and is never cut. */
  readonly tensor?: string;
}

export interface BlockLayout {
  readonly bytes: number;
  /** Its buffers; the first begins at 0. */
  readonly cuts: readonly Cut[];
  /** How many elements from the start have weight decay, in a layout in f32; a multiple of 64. */
  readonly decayElements: number;
  /** By local tensor name, and by fused-group name. */
  readonly places: ReadonlyMap<string, Placement>;
  /** Parameters without padding. */
  readonly parameters: number;
}

/** A tensor to place: parameter rows, or the matrices of a LoRA adapter. */
export type Placeable = Pick<ParameterRow, 'local' | 'role' | 'shape' | 'fused' | 'shards' | 'stored'>;

/** Weight decay applies to matrices and embeddings, not to norms and biases (usual since GPT-2). */
const decays = (row: Placeable): boolean => row.role !== 'norm' && row.role !== 'bias';

export function layoutBlock(rows: readonly Placeable[], shardBytes: number = SHARD_BYTES): BlockLayout {
  const places = new Map<string, Placement>();
  /** Tensors and fused groups: a block is cut between them. */
  const units: Unit[] = [];
  let at = 0;
  const place = (row: Placeable, previous: Placeable | undefined): void => {
    const type = row.stored === 'f32' ? {} : { stored: row.stored };
    const joins = row.fused !== null && previous?.fused === row.fused;
    if (!joins) {
      at = roundUp(at, BINDING_ALIGNMENT);
      const step = row.shards > 1 ? rowsOfShard(row.shape[1], shardBytes) * row.shape[1] * elementBytes(type) : null;
      units.push({ at, name: row.fused ?? row.local, step });
    }
    const elements = elementsOf(row);
    if (row.fused !== null) {
      const group = places.get(row.fused);
      places.set(row.fused, { offset: group?.offset ?? at, elements: (group?.elements ?? 0) + elements, ...type });
    }
    places.set(row.local, { offset: at, elements, ...type });
    at += elements * elementBytes(type);
  };
  const first = rows.filter(decays);
  const rest = rows.filter((row) => !decays(row));
  first.forEach((row, i) => place(row, first[i - 1]));
  at = roundUp(at, BINDING_ALIGNMENT);
  const decayElements = at / 4;
  rest.forEach((row, i) => place(row, rest[i - 1]));
  const bytes = roundUp(at, BINDING_ALIGNMENT);
  return {
    bytes,
    cuts: cutsOf(units, bytes, shardBytes),
    decayElements,
    places,
    parameters: rows.reduce((sum, row) => sum + elementsOf(row), 0),
  };
}

interface Unit {
  readonly at: number;
  readonly name: string;
  /** Bytes from cut to cut of a tensor of several shards. */
  readonly step: number | null;
}

/** Each buffer takes as many units as fit; a unit that is too large for one begins a new buffer. */
function cutsOf(units: readonly Unit[], bytes: number, shardBytes: number): Cut[] {
  const cuts: Cut[] = [{ at: 0 }];
  units.forEach(({ at, name, step }, index) => {
    const end = units[index + 1]?.at ?? bytes;
    if (end - cuts[cuts.length - 1].at <= shardBytes) return;
    if (cuts[cuts.length - 1].at === at) cuts.pop();
    cuts.push(step === null && end - at > shardBytes ? { at, tensor: name } : { at });
    if (step !== null) for (let next = at + step; next < end; next += step) cuts.push({ at: next });
  });
  return cuts;
}

/** The parts of a block that are bound by themselves: its tensors and fused groups. */
export const boundNames = (rows: readonly Placeable[]): string[] => [...new Set(rows.map(({ fused, local }) => fused ?? local))];

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
