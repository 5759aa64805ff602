// The one error type of the project. The code is the contract across the worker and the command line;
// the text is for people: what happened (detail) and what to do about it (remedy).

export const ERROR_CODES = [
  'NO_WEBGPU',
  'NO_ADAPTER',
  'LIMIT_TOO_SMALL',
  'SHADER_COMPILE',
  'GPU_VALIDATION',
  'GPU_OOM',
  'GPU_WRONG',
  'DEVICE_LOST',
  'NONFINITE_LOSS',
  'NONFINITE_WEIGHTS',
  'MODEL_UNSUPPORTED',
  'MODEL_CONFIG',
  'MODEL_FILE',
  'HUB_NAME',
  'HUB_NOT_FOUND',
  'HUB_GATED',
  'HUB_SERVER',
  'HUB_CONNECTION',
  'HUB_STALLED',
  'HUB_CHANGED',
  'HUB_DIGEST',
  'TENSOR_MISSING',
  'TENSOR_SHAPE',
  'TENSOR_DTYPE',
  'TOKENIZER',
  'DATASET_READ',
  'DATASET_PARSE',
  'DATASET_EMPTY',
  'NO_TARGETS',
  'TOKEN_RANGE',
  'CONFIG_INVALID',
  'CHECKPOINT_MISMATCH',
  'CHECKPOINT_CORRUPT',
  'STORAGE',
  'SHAPE_MISMATCH',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error as plain data, for postMessage and JSON. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly remedy: string;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly remedy: string;

  constructor(code: ErrorCode, detail: string, remedy: string, options?: ErrorOptions) {
    super(`${detail} ${remedy}`.trim(), options);
    this.name = 'AppError';
    this.code = code;
    this.detail = detail;
    this.remedy = remedy;
  }

  toInfo(): ErrorInfo {
    return { code: this.code, detail: this.detail, remedy: this.remedy };
  }
}

/** Any thrown value as ErrorInfo; anything but an AppError is reported as a fault of LISA Studio. */
export function errorInfo(thrown: unknown): ErrorInfo {
  if (thrown instanceof AppError) return thrown.toInfo();
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: 'INTERNAL', detail: text, remedy: 'This is a fault of LISA Studio. Please report it.' };
}

/** For the default branch of a switch over a closed union. */
export function unreachable(value: never): never {
  throw new AppError('INTERNAL', `Unexpected value ${JSON.stringify(value)}.`, '');
}
