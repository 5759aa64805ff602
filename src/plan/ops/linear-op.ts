// What a linear operation is, and the product that it and its LoRA adapter are made of.

import type { Dispatch } from '../../dispatch/types';
import type { MatmulArgs } from '../../shaders/matmul/matmul';
import { longProduct, splitProduct } from '../split';
import type { ForwardSite, OpBase, Site } from './op';

/** A column range of a linear's output that has a name of its own: q, k and v of a fused projection. */
export interface LinearSlice {
  readonly name: string;
  readonly out: number;
}

export interface LinearOp extends OpBase {
  readonly kind: 'linear';
  /** Local tensor name, or the name of a fused group. */
  readonly weight: string;
  readonly bias: string | null;
  /** nt: stored [out, in]; nn: stored [in, out] (GPT-2's Conv1D). */
  readonly layout: 'nt' | 'nn';
  readonly in: number;
  readonly out: number;
  readonly residual: string | null;
  /** Of the product, not of bias and residual. Default: 1; otherwise there is no bias. */
  readonly scale?: number;
  readonly slices: readonly LinearSlice[];
}

/**
 * A matrix product, in as many dispatches as it takes. While sampling it is one dispatch, however long, because the prompt comes in pieces
 * instead (prompt-rows.ts).
 */
export function product(site: Site | ForwardSite, args: MatmulArgs): Dispatch[] {
  const sampling = 'cache' in site && site.cache !== null;
  const { kernels, dispatchFlops } = site.context.input;
  const product = { ...args, family: kernels.matmul };
  if (args.layout === 'tn') return longProduct(product, dispatchFlops, (elements) => site.scratch(`parts of ${args.label}`, elements));
  return splitProduct(product, sampling ? Infinity : dispatchFlops);
}

export function eachSlice(op: LinearOp, visit: (slice: LinearSlice, column: number, index: number) => void): void {
  let column = 0;
  op.slices.forEach((slice, index) => {
    visit(slice, column, index);
    column += slice.out;
  });
}
