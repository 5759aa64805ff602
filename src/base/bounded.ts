// A limit of time for programs that come with a model: chat templates and the patterns of tokenizers. JavaScript cannot interrupt itself,
// so whoever starts the engine sets how it is done (io/node/bounded.ts); until then nothing is limited.

import type { AppError } from './errors';

/**
 * Runs work that may not end. Throws `TimedOut` after `ms` milliseconds; whoever ends it from outside instead says what `late` gives. A `late`
 * that is the same function gives the same error.
 */
export type Bound = <T>(work: () => T, ms: number, late: () => AppError) => T;

export class TimedOut extends Error {}

let bound: Bound = (work) => work();
/** Pieces within a piece are told to the bound, too. */
let tellsInner = false;

/** `inner`: it also gets the pieces of work within a piece, and only notes them. */
export function setBound(given: Bound, { inner = false }: { readonly inner?: boolean } = {}): void {
  bound = given;
  tellsInner = inner;
}

/** Milliseconds that any work gets, and for each thousand characters more. */
const [LEAST_MS, MS_PER_THOUSAND] = [3000, 20];

/** What is under way, the innermost: it is to blame if time runs out. */
let blamed: (() => AppError) | null = null;

/** Runs work on `characters` of text. `late` is thrown if it does not end in time. */
export function bounded<T>(work: () => T, characters: number, late: () => AppError): T {
  const outer = blamed;
  blamed = late;
  const ms = LEAST_MS + (characters / 1000) * MS_PER_THOUSAND;
  // Within a limited piece of work there is no other limit.
  if (outer && !tellsInner) {
    // Nothing here runs when time runs out, so the blame stays.
    try {
      return work();
    } finally {
      blamed = outer;
    }
  }
  try {
    return bound(work, ms, late);
  } catch (thrown) {
    throw thrown instanceof TimedOut ? blamed() : thrown;
  } finally {
    blamed = outer;
  }
}
