// The arrays that a pass through the model reads: tokens, targets and their order, from the host to the GPU.

import { AppError } from '../base/errors';
import { FULL_VIEW } from '../dispatch/types';
import type { Executor } from '../gpu/executor';
import type { InputName } from '../plan/run-buffers';
import type { RunPlan } from '../plan/run-plan';

/** Arrays of a micro-batch by name. What is left out is zero. */
type InputArrays = Partial<Readonly<Record<InputName, Uint32Array>>> & { readonly tokens: Uint32Array };

/**
 * Packs the arrays that the plan has a place for into its one buffer of inputs. Throws INTERNAL if there are more tokens than the plan has
 * room for.
 */
export function writeBatch(executor: Executor, { buffers, capacity }: RunPlan, arrays: InputArrays): void {
  const given = arrays.tokens.length;
  if (given > capacity.rows)
    throw new AppError('INTERNAL', `The micro-batch has ${given} tokens, but the plan has room for ${capacity.rows}.`, '');
  const packed = new Uint32Array(buffers.inputs.bytes / 4);
  for (const [name, { offset }] of buffers.inputViews) packed.set(arrays[name] ?? [], offset / 4);
  executor.write(FULL_VIEW(buffers.inputs), packed);
}
