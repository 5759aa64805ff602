// Decides which weights are packed in GPU memory, two 16-bit floats to a word as in their checkpoint, and which are f32. Weights need f32
// to train: always-on tensors exist only in f32, and a layer that LISA draws has an f32 master in its slot while it trains. Pure.

import { parameterTable } from '../model/parameters';
import { elementsOf, type CheckpointTypes, type Dtype, type ParameterRow } from '../model/types';
import type { PlanInput } from './input';
import { layoutBlock } from './layout';

/** Kernels read packed weights in quads: rows of another length stay f32, and so do vectors and position tables, which are small. */
const isPackable = ({ role, shape }: ParameterRow): boolean =>
  (role === 'matrix' || role === 'embedding' || role === 'head') && shape[shape.length - 1] % 4 === 0;

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

function packedKinds(table: readonly ParameterRow[], types: CheckpointTypes): Map<string, Dtype> {
  const kinds = new Map<string, Dtype>();
  for (const row of table) {
    const came = typeof types === 'string' ? types : (types[row.name] ?? 'f32');
    const own = isPackable(row) ? came : 'f32';
    const known = kinds.get(kindOf(row));
    kinds.set(kindOf(row), known === undefined || known === own ? own : 'f32');
  }
  return kinds;
}

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

/** Parameters by the type in which they lie on the GPU; masters are not counted. */
export function storedParameters(table: Iterable<ParameterRow>): Record<Dtype, number> {
  const counts: Record<Dtype, number> = { f32: 0, f16: 0, bf16: 0 };
  for (const row of table) counts[row.stored] += elementsOf(row);
  return counts;
}
