// The cells of each study, in the order in which they are run. A study asks for runs one cell after another, and what it asks for next may
// depend on what came out: a learning rate is looked for until the best one has worse ones on both sides.

import type { Cell } from './grid-file';
import { LEVERS } from './variants';

/** Mean held-out loss of a cell with these seeds; it is run if it has not been. NaN if a run diverged. */
export type Ask = (cell: Cell, seeds: readonly number[]) => Promise<number>;

export interface Task {
  readonly seeds: readonly number[];
  /** Layers of the model. */
  readonly layers: number;
  readonly steps: number;
}

export const METHOD_NAMES = ['lisa', 'full', 'lora'] as const;
/** Multiples of the method's default learning rate that are tried first. */
const FACTORS = [0.5, 1, 2, 4] as const;
const WIDEST = { least: 1 / 16, most: 64 };

export const methodCell = (method: string, factor: number): Cell => ({
  study: 'methods',
  variant: method,
  factor,
  args: ['--method', method],
});

/** The factor with the least loss for the first seed, and at least one worse factor on each side of it. */
export async function bestFactor(cellOf: (factor: number) => Cell, ask: Ask, seed: number): Promise<number> {
  const losses = new Map<number, number>();
  const run = async (factor: number): Promise<void> => void losses.set(factor, await ask(cellOf(factor), [seed]));
  for (const factor of FACTORS) await run(factor);
  for (;;) {
    const tried = [...losses].filter(([, loss]) => Number.isFinite(loss)).sort(([, a], [, b]) => a - b);
    if (tried.length === 0) throw new Error('Every learning rate diverged.');
    const [best] = tried[0];
    const all = [...losses.keys()];
    const next = best === Math.min(...all) ? best / 2 : best === Math.max(...all) ? best * 2 : null;
    if (next === null || next < WIDEST.least || next > WIDEST.most) return best;
    await run(next);
  }
}

/** (a) and (g): every method at the best learning rate of its own. */
export async function methods(ask: Ask, { seeds }: Task): Promise<void> {
  for (const method of METHOD_NAMES) {
    const best = await bestFactor((factor) => methodCell(method, factor), ask, seeds[0]);
    await ask(methodCell(method, best), seeds);
  }
}

/** Values of γ, from one layer to all. */
export const gammas = ({ layers }: Task): number[] => [...new Set([1, 2, 4, layers].filter((gamma) => gamma <= layers))];
/** Values of K; the last never draws again. */
export const periods = ({ steps }: Task): number[] => [...new Set([1, 5, 25, steps])];

export const gammaCell = (gamma: number, period: number, factor: number): Cell => ({
  study: 'draws',
  variant: `γ = ${gamma}, K = ${period}`,
  factor,
  args: ['--method', 'lisa', '--lisa-layers', String(gamma), '--lisa-period', String(period)],
});

/** (b): γ and K, each γ at the best learning rate that it has with K = 5. */
export async function draws(ask: Ask, task: Task): Promise<void> {
  for (const gamma of gammas(task)) {
    const best = await bestFactor((factor) => gammaCell(gamma, 5, factor), ask, task.seeds[0]);
    for (const period of periods(task)) await ask(gammaCell(gamma, period, best), task.seeds);
  }
}

export const leverCell = (name: string): Cell => ({
  study: 'levers',
  variant: name,
  factor: 1,
  args: ['--method', 'lisa', ...LEVERS.find((lever) => lever.name === name)!.args],
});

/** (c): policies of the embedding, precisions and the other levers, at the default learning rate. */
export async function levers(ask: Ask, { seeds }: Task): Promise<void> {
  for (const { name } of LEVERS) await ask(leverCell(name), seeds);
}
