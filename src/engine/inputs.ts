// The arrays that a pass through the model reads: tokens, targets and their order, from the host to the GPU.

import { AppError } from '../base/errors';
import { FULL_VIEW } from '../dispatch/types';
import type { Executor } from '../gpu/executor';
import type { InputName } from '../plan/run-buffers';
import type { RunPlan } from '../plan/run-plan';
import type { TokenRows } from './token-rows';
import { windowBounds } from './windows';

/** Arrays of a micro-batch by name. What is left out is zero. */
type InputArrays = Partial<Readonly<Record<InputName, Uint32Array>>> & { readonly tokens: Uint32Array };

/** What the arrays are written to. */
interface Place {
  readonly executor: Pick<Executor, 'write'>;
  readonly plan: Pick<RunPlan, 'buffers' | 'capacity' | 'input'>;
  readonly tokenRows: TokenRows | null;
}

/**
 * Packs the arrays that the plan has a place for into its one buffer of inputs. Throws INTERNAL if there are more tokens than the plan has
 * room for.
 */
export function writeBatch({ executor, plan: { buffers, capacity, input }, tokenRows }: Place, arrays: InputArrays): void {
  const given = arrays.tokens.length;
  if (given > capacity.rows)
    throw new AppError('INTERNAL', `The micro-batch has ${given} tokens, but the plan has room for ${capacity.rows}.`, '');
  const packed = new Uint32Array(buffers.inputs.bytes / 4);
  const rowed = input.trainedRows.embedding && tokenRows ? byRows(arrays, tokenRows) : arrays;
  const { window } = input.shape;
  const { segStart, segEnd } = arrays;
  const all = window && segStart && segEnd ? { ...rowed, ...windowBounds(segStart, segEnd, window.size) } : rowed;
  for (const [name, { offset }] of buffers.inputViews) packed.set(all[name] ?? [], offset / 4);
  executor.write(FULL_VIEW(buffers.inputs), packed);
}

/** The embedding's gradient has the rows that train and no others. */
const byRows = (arrays: InputArrays, rows: TokenRows): InputArrays => ({
  ...arrays,
  rowOfToken: rows.rowsOf(arrays.tokens),
  ...(arrays.tokenGroupId && { tokenGroupId: rows.rowsOf(arrays.tokenGroupId) }),
});
