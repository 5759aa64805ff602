// The error that a test expects.

import { AppError } from '../base/errors';

/** The AppError that the action throws; rethrows any other error, and fails if there is none. */
export function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
