// The arguments of `npm run experiment`: which methods or variants of LISA and which seeds; all others are finetune's and go to every run.

import { AppError } from '../../base/errors';
import { LEVERS, METHODS, type Variant } from './variants';

export interface ExperimentOptions {
  readonly variants: readonly Variant[];
  readonly seeds: readonly number[];
  /** Arguments for finetune, unchanged. */
  readonly rest: readonly string[];
}

/** By default all methods with seeds 1, 2 and 3. Throws CONFIG_INVALID. */
export function parseExperimentOptions(args: readonly string[]): ExperimentOptions {
  let variants = METHODS;
  let seeds: readonly number[] = [1, 2, 3];
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const flag = args[at];
    if (flag === '--methods') variants = listOf(flag, args[++at], oneOf(METHODS), namesOf(METHODS));
    else if (flag === '--variants') variants = leversOf(args[++at]);
    else if (flag === '--seeds') seeds = listOf(flag, args[++at], seedOf, '1,2,3');
    else rest.push(flag);
  }
  return { variants, seeds, rest };
}

/** 'all', or a list. */
const leversOf = (text: string | undefined): readonly Variant[] =>
  text === 'all' ? LEVERS : listOf('--variants', text, oneOf(LEVERS), `all,${namesOf(LEVERS)}`);

const namesOf = (all: readonly Variant[]): string => all.map(({ name }) => name).join(',');
const oneOf =
  (all: readonly Variant[]) =>
  (text: string): Variant | null =>
    all.find(({ name }) => name === text) ?? null;
const seedOf = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);

function listOf<T>(flag: string, text: string | undefined, of: (part: string) => T | null, example: string): readonly T[] {
  const parts = (text ?? '').split(',').map(of);
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length)
    throw new AppError('CONFIG_INVALID', `${flag}: '${text ?? ''}' cannot be read.`, `Give some of ${example}.`);
  return known;
}
