// Decides which weights are packed in GPU memory, as the 16-bit floats of their checkpoint or in 8 or 4 bits, and which are f32. Weights
// need f32 to train: always-on tensors exist only in f32, and a layer that LISA draws has an f32 master in its slot while it trains. Pure.

import { parameterTable } from '../model/parameters';
import { QUANTISED_BLOCK } from '../dispatch/types';
import { elementsOf, type ParameterRow, type Storage } from '../model/types';
import type { BaseStorage, PlanInput } from './input';
import { layoutBlock } from './layout';

/** Kernels read packed weights in quads: rows of another length stay f32, and so do vectors and position tables, which are small. */
const isPackable = (row: ParameterRow): boolean => isMatrix(row) && row.shape[row.shape.length - 1] % 4 === 0;

const isMatrix = ({ role }: ParameterRow): boolean => role === 'matrix' || role === 'embedding' || role === 'head';

/** Integers lie in groups of 32 elements of a row, two groups to a block; shards are cut at multiples of 64 rows (model/shards.ts). */
const isQuantisable = (row: ParameterRow): boolean =>
  isPackable(row) &&
  row.shape[row.shape.length - 1] % (row.shards > 1 ? QUANTISED_BLOCK : QUANTISED_BLOCK / 2) === 0 &&
  elementsOf(row) % QUANTISED_BLOCK === 0;

/** The name of a tensor or fused group without its layer. Tensors of one name are stored alike, so that layers share plans and kernels. */
const kindOf = ({ layer, block, fused, local }: ParameterRow): string => `${layer === null ? block : 'layer'}/${fused ?? local}`;

export type StorageInput = Pick<PlanInput, 'purpose' | 'shape' | 'method' | 'slots' | 'alwaysOn' | 'trainedRows' | 'types' | 'shardBytes'>;

/** The parameter table with where and how each tensor is stored: `stored` and `master`. */
export function storedTable(input: StorageInput): ParameterRow[] {
  const { shape, types, purpose, method, alwaysOn, trainedRows, shardBytes } = input;
  const table = parameterTable(shape, shardBytes);
  if (types === 'f32') return table;
  const packed = packedKinds(table, types);
  const halves = table.map((row): ParameterRow => ({ ...row, stored: packed.get(kindOf(row)) ?? 'f32' }));
  const training = purpose === 'train';
  const mastered = training && method === 'lisa' && mastersPay(input, halves);
  return halves.map((row, at) => {
    if (row.layer !== null) {
      if (!training || method === 'lora') return row;
      return mastered ? { ...row, master: 'f32' } : table[at];
    }
    const name = row.block as keyof typeof alwaysOn;
    return alwaysOn[name] && (name === 'norm' || !trainedRows[name]) ? table[at] : row;
  });
}

function packedKinds(table: readonly ParameterRow[], types: BaseStorage): Map<string, Storage> {
  const kinds = new Map<string, Storage>();
  for (const row of table) {
    const own = ownStorage(row, types);
    const known = kinds.get(kindOf(row));
    kinds.set(kindOf(row), known === undefined || known === own ? own : 'f32');
  }
  return kinds;
}

function ownStorage(row: ParameterRow, types: BaseStorage): Storage {
  if (types === 'int8' || types === 'int4') return isQuantisable(row) ? types : 'f32';
  const came = typeof types === 'string' ? types : (types[row.name] ?? 'f32');
  return isPackable(row) ? came : 'f32';
}

/** Matrices, embedding and head that stay in f32 because of their shape, if the base is quantised: their names, without the layer. */
export const keptWider = ({ types, shape, shardBytes }: StorageInput): string[] =>
  types === 'int8' || types === 'int4'
    ? [...new Set(parameterTable(shape, shardBytes).flatMap((row) => (isMatrix(row) && !isQuantisable(row) ? row.local : [])))]
    : [];

/**
 * True if packed layers with masters for those in training take less than all layers in f32, that is if fewer than about half of them
 * train.
 */
function mastersPay({ shape, slots }: StorageInput, halves: readonly ParameterRow[]): boolean {
  const layer = halves.filter((row) => row.layer === 0);
  const whole = layoutBlock(layer.map(asF32)).bytes;
  return layoutBlock(layer).bytes * shape.layers + whole * slots < whole * shape.layers;
}

/** A row as it is while it trains. */
export const asF32 = <T extends Pick<ParameterRow, 'stored'>>(row: T): T => ({ ...row, stored: 'f32' });

/** Parameters by how they lie on the GPU; masters are not counted. */
export function storedParameters(table: Iterable<ParameterRow>): Record<Storage, number> {
  const counts: Record<Storage, number> = { f32: 0, f16: 0, bf16: 0, int8: 0, int4: 0 };
  for (const row of table) counts[row.stored] += elementsOf(row);
  return counts;
}
