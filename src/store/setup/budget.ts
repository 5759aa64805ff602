// How much GPU memory the person allows: browsers don't report how much there is. Kept for the next visit.

import { create } from 'zustand';
import { recall, remember } from '../remembered';

export const BUDGET_RANGE = { min: 1e6, max: 256e9 } as const;

/** Above this share the budget is tight: drivers, the desktop and other tabs want some too. */
const TIGHT_FROM = 0.75;

export type Verdict = 'fits' | 'tight' | 'exceeds';

export function verdictOf(bytes: number, budget: number): Verdict {
  if (bytes > budget) return 'exceeds';
  return bytes >= TIGHT_FROM * budget ? 'tight' : 'fits';
}

/** Whole bytes inside the range; null if it is not a budget. */
export function asBudget(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return null;
  return Math.round(Math.min(BUDGET_RANGE.max, Math.max(BUDGET_RANGE.min, value)));
}

export const useBudgetStore = create<{ readonly budget: number | null }>(() => ({ budget: null }));

export const loadBudget = (): void => useBudgetStore.setState({ budget: recall('budget', asBudget) ?? null });

export function setBudget(bytes: number | null): void {
  const budget = asBudget(bytes);
  useBudgetStore.setState({ budget });
  remember('budget', budget ?? undefined);
}
