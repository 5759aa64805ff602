// The error that a test expects.

import { AppError } from '../base/errors';

/** The AppError that the action throws; any other error goes on, and none at all is an error too. */
export function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
