// How many parameter structs a plan's table must hold: counted over what a run submits, for comparisons of memory.

import { KERNEL_CHOICES } from '../plan/input';
import { RunPlan, type Assignment } from '../plan/run-plan';
import { assignments, dispatchesOf, everySegment } from './plans';

const distinctParams = (plan: RunPlan, over: readonly Assignment[]): number =>
  new Set(dispatchesOf(everySegment(plan, over)).map(({ params }) => String.fromCharCode(...params))).size;

/** Distinct parameters of all that a run can submit, with the kernels that have the most. For large models, of which that takes long, the plan's. */
export const paramSlots = (plan: RunPlan, over = assignments(plan)): number => {
  const own = distinctParams(plan, over);
  if (plan.input.shape.vocab > 1e4) return Math.max(own, plan.params.slots);
  const others = KERNEL_CHOICES.slice(1).map((kernels) => distinctParams(new RunPlan({ ...plan.input, kernels }), over.slice(0, 2)));
  return Math.max(own, ...others);
};
