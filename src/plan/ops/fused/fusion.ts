// A fusion: several operations of a layer in fewer dispatches than they take one by one. It writes the same values up to rounding, except
// for those that nothing reads afterwards, and it never lifts a plan's memory. Only card kernels have fusions (shaders/matmul/fused.ts).

import type { Dispatch } from '../../../dispatch/types';
import { fusedMatmul, type FusedArgs } from '../../../shaders/matmul/fused';
import { rangesOf } from '../../split';
import type { Site } from '../op';
import type { LayerOp } from '../registry';

interface Fused {
  /** How many operations it does. */
  readonly takes: number;
  readonly dispatches: readonly Dispatch[];
}

/**
 * What it makes of the first of these operations; null if they are others than its own. In the forward they are in the order of the list, in
 * the backward from the last to the first. It decides by sizes and kernels, never by speed.
 */
export type Fusion<S extends Site> = (ops: readonly LayerOp[], site: S) => Fused | null;

/** Whether the product of a linear operation may have an epilogue. */
export const mayFuse = ({ context, adapter }: Site, columns: number): boolean =>
  context.input.kernels.matmul === 'tiles' && adapter === null && columns % 4 === 0;

/** A product with an epilogue, in as many dispatches as its work takes. */
export const fusedProduct = ({ context }: Site, args: Omit<FusedArgs, 'columns'>): Dispatch[] =>
  rangesOf(args.n, 2 * args.m * args.k, context.input.dispatchFlops).map((columns) => fusedMatmul({ ...args, columns }));
