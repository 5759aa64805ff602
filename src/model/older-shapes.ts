// Shapes in records of runs that earlier versions made: fields that were added since then have what every model had before.

import type { ModelShape } from './types';

/** Fields that were added after the first records. */
type Added =
  'normOffset' | 'sandwich' | 'window' | 'ropeless' | 'attentionScale' | 'embeddingScale' | 'residualScale' | 'logitScale' | 'logitCap';
export type RecordedShape = Omit<ModelShape, Added> & Partial<Pick<ModelShape, Added>>;

export const completeShape = (recorded: RecordedShape): ModelShape => ({
  normOffset: 0,
  sandwich: false,
  window: null,
  attentionScale: 1 / Math.sqrt(recorded.headDim),
  ropeless: [],
  embeddingScale: 1,
  residualScale: 1,
  logitScale: 1,
  logitCap: null,
  ...recorded,
});
