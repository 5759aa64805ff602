// --memory-budget: the settings that make a run fit, told one by one before it starts.

import { AppError } from '../../base/errors';
import { CONFIG_KEYS, fieldOf, type RunConfig } from '../../config/run-config';
import { fitToBudget, type BudgetPlan, type BudgetQuestion } from '../../plan/budget';
import { megabytes } from './print';

/** '--recompute mlp': how a person would set what changes. */
const optionsOf = (change: Partial<RunConfig>): string =>
  CONFIG_KEYS.filter((key) => key in change)
    .flatMap((key) =>
      fieldOf(key)
        .toFlag(change[key]!)
        .map((text) => `--${fieldOf(key).flag} ${text}`),
    )
    .join(' ');

/** Lines for a person: what is changed for the budget, what each change saves and costs. */
export const describeBudget = ({ steps, total }: BudgetPlan, budget: number): string =>
  [
    `budget   ${megabytes(budget)}: the run takes ${megabytes(total)}${steps.length === 0 ? ' as it is' : ', with these settings'}`,
    ...steps.map(({ change, name, price, saves }) => `         ${optionsOf(change)}: ${name}; saves ${megabytes(saves)}; ${price}`),
  ].join('\n');

/** The plan for a budget. Throws CONFIG_INVALID, with the smallest budget that would do, if nothing makes the run fit. */
export function planBudget(question: BudgetQuestion): BudgetPlan {
  const plan = fitToBudget(question);
  if (plan.fits) return plan;
  throw new AppError(
    'CONFIG_INVALID',
    `--memory-budget: the run does not fit ${megabytes(question.budget)}. With every setting that may change it takes ${megabytes(plan.total)}, which is the smallest budget that would do.`,
    'Give a larger budget, shorten --seq-len, or leave out options that the budget must keep.',
  );
}
