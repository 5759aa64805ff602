// A limit of time for programs that come with a model: chat templates and the patterns of tokenizers. JavaScript cannot interrupt itself,
// so whoever starts the engine sets how it is done (io/node/bounded.ts); until then nothing is limited.

import type { AppError } from './errors';

/** Runs work that may not end. Throws `TimedOut` after `ms` milliseconds. */
export type Bound = <T>(work: () => T, ms: number) => T;

export class TimedOut extends Error {}

let bound: Bound = (work) => work();

export function setBound(given: Bound): void {
  bound = given;
}

/** Milliseconds that any work gets, and for each thousand characters more. */
const [LEAST_MS, MS_PER_THOUSAND] = [4000, 20];

let inside = false;

/** Runs work on `characters` of text. `late` is thrown if it does not end in time. */
export function bounded<T>(work: () => T, characters: number, late: () => AppError): T {
  // Within a limited piece of work there is no other limit.
  if (inside) return work();
  inside = true;
  try {
    return bound(work, LEAST_MS + (characters / 1000) * MS_PER_THOUSAND);
  } catch (thrown) {
    throw thrown instanceof TimedOut ? late() : thrown;
  } finally {
    inside = false;
  }
}
