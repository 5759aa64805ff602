// One card for each family of errors: what happened in a few words, what is safe, and changes of the settings
// that may help. The detail and the remedy come with the error itself. Pure.

import { policiesOf } from '../config/policies';
import { METHOD_LR, type RunConfig } from '../config/run-config';
import type { ErrorCode, ErrorInfo } from '../base/errors';
import { formatRate } from './format';

export type ErrorFamily =
  'no-gpu' | 'lost' | 'memory' | 'nonfinite' | 'model' | 'hub' | 'data' | 'settings' | 'checkpoint' | 'storage' | 'fault';

const FAMILIES: Readonly<Record<ErrorCode, ErrorFamily>> = {
  NO_WEBGPU: 'no-gpu',
  NO_ADAPTER: 'no-gpu',
  LIMIT_TOO_SMALL: 'no-gpu',
  GPU_WRONG: 'no-gpu',
  DEVICE_LOST: 'lost',
  GPU_OOM: 'memory',
  NONFINITE_LOSS: 'nonfinite',
  NONFINITE_WEIGHTS: 'nonfinite',
  MODEL_UNSUPPORTED: 'model',
  MODEL_CONFIG: 'model',
  MODEL_FILE: 'model',
  HUB_NAME: 'hub',
  HUB_NOT_FOUND: 'hub',
  HUB_GATED: 'hub',
  HUB_SERVER: 'hub',
  HUB_CONNECTION: 'hub',
  HUB_STALLED: 'hub',
  HUB_CHANGED: 'hub',
  HUB_DIGEST: 'hub',
  TENSOR_MISSING: 'model',
  TENSOR_SHAPE: 'model',
  TENSOR_DTYPE: 'model',
  TOKENIZER: 'model',
  DATASET_READ: 'data',
  DATASET_PARSE: 'data',
  DATASET_EMPTY: 'data',
  NO_TARGETS: 'data',
  TOKEN_RANGE: 'data',
  CONFIG_INVALID: 'settings',
  CHECKPOINT_MISMATCH: 'checkpoint',
  CHECKPOINT_CORRUPT: 'checkpoint',
  STORAGE: 'storage',
  SHADER_COMPILE: 'fault',
  GPU_VALIDATION: 'fault',
  SHAPE_MISMATCH: 'fault',
  INTERNAL: 'fault',
};

export const familyOf = (code: ErrorCode): ErrorFamily => FAMILIES[code];

const TITLES: Readonly<Record<ErrorFamily, string>> = {
  'no-gpu': 'No GPU to train on',
  lost: 'The GPU was lost',
  memory: 'The GPU ran out of memory',
  nonfinite: 'The loss is no longer finite',
  model: 'This model cannot be used',
  hub: 'The model could not be fetched',
  data: 'This data cannot be used',
  settings: 'A setting is not valid',
  checkpoint: 'The checkpoint cannot be used',
  storage: 'The browser’s storage failed',
  fault: 'Something in LISA Studio went wrong',
};

export const titleOf = (error: ErrorInfo): string =>
  error.code === 'NO_WEBGPU' ? 'This browser has no WebGPU' : TITLES[familyOf(error.code)];

/** What is safe after a failure. `step`: the last finished step. */
export function safeSentence(step: number, savedStep: number | null): string {
  if (step === 0) return 'Nothing was trained yet, so nothing is lost.';
  if (savedStep === null) return `Nothing was saved before step ${step}. The model and data that you chose are unchanged.`;
  if (savedStep >= step) return `All ${step} steps are saved.`;
  return `Steps 1 to ${savedStep} are saved; the ${step - savedStep === 1 ? 'one step' : `${step - savedStep} steps`} after that must be trained again.`;
}

/** What is safe of a running run whose newest checkpoint could not be written. */
export function savedSentence(step: number, savedStep: number | null): string {
  const whole = `The run is intact and waits after step ${step}.`;
  return savedStep === null
    ? `${whole} It has no checkpoint yet, so closing the page would lose it.`
    : `${whole} The last good checkpoint is from step ${savedStep}.`;
}

export interface Suggestion {
  readonly label: string;
  readonly patch: Partial<RunConfig>;
}

/** Changes that may help, the mildest first. Each needs one click; none is applied automatically. */
export function suggestions(error: ErrorInfo, config: RunConfig): Suggestion[] {
  switch (familyOf(error.code)) {
    case 'memory':
      return lighter(config);
    case 'lost':
      return lighter(config).slice(0, 1);
    case 'nonfinite':
      return [{ label: `Learning rate ÷ 3: ${formatRate(config.lr / 3)}`, patch: { lr: Number((config.lr / 3).toPrecision(3)) } }];
    case 'data':
      return error.code === 'DATASET_PARSE' && config.badRows === 'refuse'
        ? [{ label: 'Skip malformed rows', patch: { badRows: 'skip' } }]
        : [];
    default:
      return [];
  }
}

function lighter(config: RunConfig): Suggestion[] {
  const list: Suggestion[] = [];
  const { batchSize, seqLen, lisaLayers, method } = config;
  if (batchSize > 1) {
    const half = Math.floor(batchSize / 2);
    // Keeps the rows per step if the batch divides evenly.
    const gradAccum = batchSize % 2 === 0 ? config.gradAccum * 2 : config.gradAccum;
    list.push({
      label: `Half the batch: ${half}${gradAccum > config.gradAccum ? `, two per step` : ''}`,
      patch: { batchSize: half, gradAccum },
    });
  }
  if (seqLen >= 32) list.push({ label: `Half the length: ${Math.floor(seqLen / 2)}`, patch: { seqLen: Math.floor(seqLen / 2) } });
  if (method === 'lisa' && lisaLayers > 1) list.push({ label: `γ = ${lisaLayers - 1}`, patch: { lisaLayers: lisaLayers - 1 } });
  if (method === 'lisa' && policiesOf(config, false).embedding !== 'off') {
    list.push({ label: 'Freeze embedding and head', patch: { lisaEmbedding: 'off', lisaHead: 'off' } });
  }
  if (method === 'full') list.push({ label: 'Use LISA', patch: { method: 'lisa', lr: METHOD_LR.lisa } });
  return list;
}
