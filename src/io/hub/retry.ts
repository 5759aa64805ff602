// Retries: a fault that may disappear is tried again after a wait that doubles; every other fault is thrown at once.

import type { AppError } from '../../base/errors';
import { isPassing } from './faults';

export interface Patience {
  /** Attempts after the first one, without a byte in between. */
  readonly retries: number;
  readonly firstMs: number;
  readonly mostMs: number;
  /** Rejects with the signal's reason. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const PATIENCE: Patience = { retries: 5, firstMs: 1000, mostMs: 16_000, sleep };

/** For a look-up, because somebody waits for it. */
export const LOOK_PATIENCE: Patience = { ...PATIENCE, retries: 2, firstMs: 500 };

/** The wait before retry number `retry` (from 1), in milliseconds. */
const waitOf = ({ firstMs, mostMs }: Patience, retry: number): number => Math.min(mostMs, firstMs * 2 ** (retry - 1));

export interface Waiting {
  /** From 1. */
  readonly attempt: number;
  readonly of: number;
  readonly seconds: number;
  readonly error: AppError;
}

/** `attempt` may report progress; then the count starts anew. */
export async function patiently<T>(
  attempt: (progress: () => void) => Promise<T>,
  patience: Patience,
  signal?: AbortSignal,
  onWait?: (waiting: Waiting) => void,
): Promise<T> {
  let retry = 0;
  for (;;) {
    try {
      return await attempt(() => (retry = 0));
    } catch (thrown) {
      if (!isPassing(thrown) || retry >= patience.retries || signal?.aborted) throw thrown;
      retry++;
      const ms = waitOf(patience, retry);
      onWait?.({ attempt: retry, of: patience.retries, seconds: ms / 1000, error: thrown });
      await patience.sleep(ms, signal);
    }
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason is what the caller gave
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
