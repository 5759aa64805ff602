// Runs one format's damaged inputs: each is either read, and then the result is checked against the input by other means, or refused with
// an AppError that says what to do. Neither may take long or much memory. `npm run fuzz` sets the number and may set the seed.

import fc from 'fast-check';
import { expect } from 'vitest';
import { AppError } from '../../base/errors';

/** Limit for one case, even on a busy machine; a hang would take for ever. */
const LIMIT_MS = 5000;
/** Heap and array buffers above what the first case began with, in bytes. */
const LIMIT_BYTES = 512e6;
/** In npm test; `npm run fuzz` asks for 20,000. */
const RUNS = Number(process.env.LISA_FUZZ_RUNS ?? 300);
const SEED = Number(process.env.LISA_FUZZ_SEED ?? 1);

/** Timeout for vitest, for all cases of one format. */
export const TIMEOUT_MS = 60_000 + RUNS * 60;

/** What is not collected yet counts: it is what a tab would hold. */
function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** `read` throws what the format's reader throws; its result goes to `hold`, whose expectations fail the case. */
export function hostile<I, R>(format: string, inputs: fc.Arbitrary<I>, read: (input: I) => R, hold: (result: R, input: I) => void): void {
  const seen = { read: 0, refused: 0, slowest: 0, most: 0 };
  const baseline = heldBytes();
  fc.assert(
    fc.property(inputs, (input) => {
      const begun = performance.now();
      let result: { readonly value: R } | null = null;
      try {
        result = { value: read(input) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        expect(error.code).not.toBe('INTERNAL');
        expect(error.detail).not.toBe('');
        expect(error.remedy).not.toBe('');
      }
      const took = performance.now() - begun;
      expect(took, 'milliseconds').toBeLessThan(LIMIT_MS);
      seen.slowest = Math.max(seen.slowest, took);
      seen.most = Math.max(seen.most, heldBytes() - baseline);
      expect(seen.most, 'bytes').toBeLessThan(LIMIT_BYTES);
      if (result) {
        seen.read++;
        hold(result.value, input);
      } else seen.refused++;
    }),
    { numRuns: RUNS, seed: SEED, verbose: 0 },
  );
  console.log(
    `${format}: ${RUNS} damaged inputs, seed ${SEED}: ${seen.read} read correctly, ${seen.refused} refused with a reason; slowest ${seen.slowest.toFixed(0)} ms, at most ${(seen.most / 1e6).toFixed(0)} MB above the beginning`,
  );
  // A reader that refuses or accepts everything would pass all other checks.
  expect(seen.read).toBeGreaterThan(0);
  expect(seen.refused).toBeGreaterThan(0);
}
