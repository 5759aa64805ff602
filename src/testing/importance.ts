// An importance profile for tests of what shows or takes one.

import type { ImportanceProfile } from '../lisa/profile';

/** Of a model with three layers, measured over two steps. */
export const importanceProfile = (changes: Partial<ImportanceProfile> = {}): ImportanceProfile => ({
  source: 'lora',
  model: { name: 'tiny', fingerprint: '0123456789abcdef', layers: 3 },
  data: { name: 'rows.jsonl', rows: 10 },
  norms: {
    settings: { rank: 8, alpha: 16, lr: 1e-3, seed: 1, batchSize: 4, gradAccum: 1, seqLen: 64 },
    steps: [
      { step: 1, loss: 3, update: [1, 0.5, 2], a: [1, 1, 1], b: [0.1, 0.1, 0.2] },
      { step: 2, loss: 2.5, update: [3, 0.5, 2], a: [1, 1, 1], b: [0.3, 0.1, 0.2] },
    ],
    base: [4, 5, 4],
    merged: [4.1, 5, 4.2],
    full: null,
  },
  steps: 2,
  weights: [0.5, 0.1, 0.4],
  ...changes,
});
