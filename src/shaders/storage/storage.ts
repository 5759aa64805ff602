// Weights between their storage in GPU memory (packed f16 or bf16, or f32) and the f32 master of a layer in training.

import { elementBytes, type Dispatch, type Stored, type View } from '../../dispatch/types';
import { dispatch, expectElements, foldedGrid, kernel, shapeError } from '../../dispatch/kernel';
import { loadSnippet } from '../matmul/operand';
import { padded } from '../lib/rowwise';
import copyWgsl from './storage_copy.wgsl?raw';
import packWgsl from './storage_pack.wgsl?raw';
import unpackWgsl from './storage_unpack.wgsl?raw';

export interface StorageArgs {
  readonly label: string;
  /** Written: what the other's values are to be. */
  readonly y: View;
  readonly x: View;
  /** Of both; a multiple of 4 where one is packed. */
  readonly elements: number;
}

/** The f32 values of stored weights, exactly. */
export function unpack(args: StorageArgs): Dispatch {
  const { stored } = args.x;
  if (!stored) return copy(args);
  return convert('storage_unpack', args, () => kernel('storage_unpack', [loadSnippet('x', 3, stored), unpackWgsl], {}, stored));
}

/** f32 values as they are stored: rounded to nearest even, the largest finite number in place of infinity. */
export function pack(args: StorageArgs): Dispatch {
  const { stored } = args.y;
  if (!stored) return copy(args);
  return convert('storage_pack', args, () => kernel('storage_pack', [packWgsl], { BF16: stored === 'bf16' ? 1 : 0 }));
}

function copy({ label, y, x, elements }: StorageArgs): Dispatch {
  return convert('storage_copy', { label, y: padded(y), x: padded(x), elements }, () => kernel('storage_copy', [copyWgsl]));
}

function convert(name: string, { label, y, x, elements }: StorageArgs, of: () => ReturnType<typeof kernel>): Dispatch {
  const packed: readonly (Stored | undefined)[] = [y.stored, x.stored];
  if (packed.some(Boolean) && elements % 4 !== 0) throw shapeError(name, 'elements', 'a multiple of 4', String(elements));
  if (y.stored && x.stored) throw shapeError(name, 'x', 'f32', `packed ${x.stored}`);
  expectElements(name, 'y', y, elements);
  expectElements(name, 'x', x, elements);
  const steps = Math.ceil(elements / 4);
  return dispatch(of(), label, { y, x }, { steps }, foldedGrid(Math.ceil(steps / 256)), {
    flops: {},
    bytes: { one: (elementBytes(y) + elementBytes(x)) * elements },
  });
}
