// The place of a budget on the scale of memory bars. Pure.

import { verdictOf, type Verdict } from '../../store/setup/budget';
import type { Bar } from './bar-model';
import { valueTicks } from './axis';

/** A budget up to this many times the longest bar is drawn to scale; a larger one would only shrink the bars. */
const WITHIN = 1.6;

/** The right end of a scale that holds all these bars, and the budget if it is near. */
export function scaleOf(bars: readonly Bar[], budget: number | null = null): number {
  const longest = Math.max(...bars.map((bar) => bar.total), 1);
  const most = budget !== null && budget <= WITHIN * longest ? Math.max(longest, budget) : longest;
  return valueTicks(0, most, 4).at(-1) ?? 1;
}

/** After a number of bytes. */
export const VERDICTS: Readonly<Record<Verdict, string>> = {
  fits: 'fits the budget',
  tight: 'is a tight fit for the budget',
  exceeds: 'exceeds the budget',
};

export interface BudgetOnBar {
  readonly verdict: Verdict;
  /** Bytes of the bar beyond the budget. */
  readonly over: number;
}

export const budgetOn = (bar: Bar, budget: number): BudgetOnBar => ({
  verdict: verdictOf(bar.total, budget),
  over: Math.max(0, bar.total - budget),
});
