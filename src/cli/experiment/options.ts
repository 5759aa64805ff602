// The arguments of `npm run experiment`: which methods and seeds; all others are finetune's and go to every run.

import type { Method } from '../../config/run-config';
import { AppError } from '../../base/errors';

export interface ExperimentOptions {
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  /** Arguments for finetune, unchanged. */
  readonly rest: readonly string[];
}

const METHODS: readonly Method[] = ['lisa', 'full', 'lora'];

/** By default all methods with seeds 1, 2 and 3. Throws CONFIG_INVALID. */
export function parseExperimentOptions(args: readonly string[]): ExperimentOptions {
  let methods = METHODS;
  let seeds: readonly number[] = [1, 2, 3];
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const flag = args[at];
    if (flag === '--methods') methods = listOf(flag, args[++at], methodOf, METHODS.join(','));
    else if (flag === '--seeds') seeds = listOf(flag, args[++at], seedOf, '1,2,3');
    else rest.push(flag);
  }
  return { methods, seeds, rest };
}

const methodOf = (text: string): Method | null => METHODS.find((method) => method === text) ?? null;
const seedOf = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);

function listOf<T>(flag: string, text: string | undefined, of: (part: string) => T | null, example: string): readonly T[] {
  const parts = (text ?? '').split(',').map(of);
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length)
    throw new AppError('CONFIG_INVALID', `${flag}: '${text ?? ''}' cannot be read.`, `Give some of ${example}.`);
  return known;
}
