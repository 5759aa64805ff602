// Weights between their storage in GPU memory (f32, packed f16 or bf16, quantised int8 or int4) and the f32 master of what trains.

import {
  elementBytes,
  isQuantised,
  QUANTISED_BLOCK,
  type Dispatch,
  type Kernel,
  type Quantised,
  type Stored,
  type View,
} from '../../dispatch/types';
import { dispatch, expectElements, foldedGrid, kernel, shapeError } from '../../dispatch/kernel';
import { loadSnippet } from '../matmul/operand';
import { padded } from '../lib/rowwise';
import copyWgsl from './storage_copy.wgsl?raw';
import dequantiseWgsl from './storage_dequantise.wgsl?raw';
import packWgsl from './storage_pack.wgsl?raw';
import quantiseWgsl from './storage_quantise.wgsl?raw';
import unpackWgsl from './storage_unpack.wgsl?raw';

export interface StorageArgs {
  readonly label: string;
  /** Is written; receives the values of the other one. */
  readonly y: View;
  readonly x: View;
  /** Elements of both; a multiple of 4 if one is packed, of 64 if one is quantised. */
  readonly elements: number;
}

/** Widens stored weights to f32, exactly. */
export function unpack(args: StorageArgs): Dispatch {
  const { stored } = args.x;
  if (!stored) return copy(args);
  if (isQuantised(stored)) {
    return convert('storage_dequantise', args, () =>
      kernel('storage_dequantise', [loadSnippet('x', 3, stored), dequantiseWgsl], {}, stored),
    );
  }
  return convert('storage_unpack', args, () => kernel('storage_unpack', [loadSnippet('x', 3, stored), unpackWgsl], {}, stored));
}

/** Narrows f32 values to how they are stored: halves are rounded to nearest even, and never to infinity; integers share a scale by group. */
export function pack(args: StorageArgs): Dispatch {
  const { stored } = args.y;
  if (!stored) return copy(args);
  if (isQuantised(stored)) return quantise(args, stored);
  return convert('storage_pack', args, () => kernel('storage_pack', [packWgsl], { BF16: stored === 'bf16' ? 1 : 0 }));
}

function quantise({ label, y, x, elements }: StorageArgs, stored: Quantised): Dispatch {
  const name = 'storage_quantise';
  checkSizes(name, { label, y, x, elements });
  const blocks = elements / QUANTISED_BLOCK;
  const of = kernel(name, [quantiseWgsl], { BITS: stored === 'int8' ? 8 : 4 });
  return dispatch(of, label, { y, x }, { blocks }, foldedGrid(Math.ceil(blocks / 64)), {
    flops: {},
    bytes: { one: (elementBytes(y) + elementBytes(x)) * elements },
  });
}

function copy({ label, y, x, elements }: StorageArgs): Dispatch {
  return convert('storage_copy', { label, y: padded(y), x: padded(x), elements }, () => kernel('storage_copy', [copyWgsl]));
}

function convert(name: string, args: StorageArgs, of: () => Kernel): Dispatch {
  const { label, y, x, elements } = args;
  checkSizes(name, args);
  const steps = Math.ceil(elements / 4);
  return dispatch(of(), label, { y, x }, { steps }, foldedGrid(Math.ceil(steps / 256)), {
    flops: {},
    bytes: { one: (elementBytes(y) + elementBytes(x)) * elements },
  });
}

function checkSizes(name: string, { y, x, elements }: StorageArgs): void {
  if (y.stored && x.stored) throw shapeError(name, 'x', 'f32', `packed ${x.stored}`);
  const unit = unitOf(y.stored ?? x.stored);
  if (elements % unit !== 0) throw shapeError(name, 'elements', `a multiple of ${unit}`, String(elements));
  expectElements(name, 'y', y, elements);
  expectElements(name, 'x', x, elements);
}

const unitOf = (stored: Stored | undefined): number => (isQuantised(stored) ? QUANTISED_BLOCK : stored ? 4 : 1);
