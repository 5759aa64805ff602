// What forecasts depend on, as keys under which they are remembered. Pure and small: the page's own thread has it, plans it has not.

import { layerWeights } from '../../config/importance';
import { policiesOf } from '../../config/policies';
import type { RunConfig } from '../../config/run-config';
import { tosses } from '../../lisa/schedule';
import type { CheckpointTypes, ModelShape } from '../../model/types';

/** The parts of a model that its memory depends on. `types`: the types of its checkpoint's tensors, for weights that may keep them. */
export interface PlannedModel {
  readonly shape: ModelShape;
  readonly types: CheckpointTypes;
  /** How many tokens of the vocabulary the chosen data uses; absent while nobody has counted them. */
  readonly dataTokens?: number;
}

const modelKey = ({ shape, types, dataTokens }: PlannedModel, { weightStorage }: RunConfig): unknown => [
  shape,
  weightStorage === 'f32' ? null : types,
  dataTokens,
];

/**
 * All settings that the bytes depend on. The draws matter because they decide the number of slots and, with a frozen
 * embedding, which layers keep activations.
 */
function bytesKey(config: RunConfig): unknown {
  const { method, batchSize, seqLen, sampleTokens, loraRank, lisaLayers, lisaSampler, lisaAdapt } = config;
  const { weightStorage, optimizerState, recompute, gradClipMode, gradAccum } = config;
  const { steps, seed, stepsPerPeriod } = config;
  const shared = [method, batchSize, seqLen, sampleTokens, weightStorage, optimizerState, recompute, gradClipMode, gradAccum === 1];
  if (method === 'lora') return [...shared, loraRank];
  if (method === 'full') return shared;
  const policies = [true, false].map((tied) => policiesOf(config, tied));
  const draws =
    policies.every(({ embedding }) => embedding !== 'off') && !tosses(lisaSampler)
      ? []
      : [steps, seed, stepsPerPeriod, layerWeights(config)];
  return [...shared, lisaLayers, policies, lisaSampler, lisaAdapt, ...draws];
}

export const memoryKey = (model: PlannedModel, config: RunConfig): string => JSON.stringify([modelKey(model, config), bytesKey(config)]);

export const flopsKey = (model: PlannedModel, config: RunConfig): string =>
  JSON.stringify([modelKey(model, config), bytesKey(config), config.gradAccum, config.seed, layerWeights(config)]);

/** Forecasts of one model with one method: close to each other, if a slider is dragged. */
export const kindKey = (model: PlannedModel, { method }: RunConfig): string => JSON.stringify([model.shape, method]);
