// Forecasts of one model, cached by what they depend on, because dragging a slider asks for the same ones repeatedly. This file
// imports the plan and every kernel's text, so it is loaded separately from the page (forecasts.ts).

import { layerWeights } from '../../config/importance';
import { policiesOf } from '../../config/policies';
import type { Method, RunConfig } from '../../config/run-config';
import { errorInfo, type ErrorInfo } from '../../base/errors';
import { tosses } from '../../lisa/schedule';
import { forecast, stepFlopsOf, type Forecast } from '../../plan/forecast';
import type { ModelShape, CheckpointTypes } from '../../model/types';

/** The parts of a model that its memory depends on. `types`: the types of its checkpoint's tensors, for weights that may keep them. */
export interface PlannedModel {
  readonly shape: ModelShape;
  readonly types: CheckpointTypes;
  /** How many tokens of the vocabulary the chosen data uses; absent while nobody has counted them. */
  readonly dataTokens?: number;
}

export type ForecastResult = { readonly forecast: Forecast; readonly error: null } | { readonly forecast: null; readonly error: ErrorInfo };

const REMEMBERED = 256;

/** The last results by key; the oldest are dropped first. */
function remembering<T>(make: (model: PlannedModel, config: RunConfig) => T, keyOf: (config: RunConfig) => unknown) {
  const known = new Map<string, T>();
  return (model: PlannedModel, config: RunConfig): T => {
    const { shape, types, dataTokens } = model;
    const key = JSON.stringify([shape, config.weightStorage === 'f32' ? null : types, dataTokens, keyOf(config)]);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(model, config);
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value ?? '');
    known.set(key, made);
    return made;
  };
}

/**
 * All settings that the bytes depend on. The draws matter because they decide the number of slots and, with a frozen
 * embedding, which layers keep activations.
 */
function memoryKey(config: RunConfig): unknown {
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

/** Memory of a method with all other settings unchanged. A shape that cannot be planned gives an error, not a number. */
const memoryOf = remembering<ForecastResult>(({ shape, types, dataTokens }, config) => {
  try {
    return { forecast: forecast(shape, config, types, dataTokens), error: null };
  } catch (thrown) {
    return { forecast: null, error: errorInfo(thrown) };
  }
}, memoryKey);

/** FLOPs of one optimizer step with full rows; null if the settings cannot run. */
const flopsOf = remembering<number | null>(
  ({ shape, dataTokens }, config) => {
    try {
      return stepFlopsOf(shape, config, dataTokens);
    } catch {
      return null; // The memory forecast of the same settings gives the reason.
    }
  },
  (config) => [memoryKey(config), config.gradAccum, config.seed, layerWeights(config)],
);

const withMethod = (config: RunConfig, method: Method): RunConfig => (config.method === method ? config : { ...config, method });

export const forecaster = {
  memory: (model: PlannedModel, config: RunConfig, method: Method = config.method): ForecastResult =>
    memoryOf(model, withMethod(config, method)),
  stepFlops: flopsOf,
};
export type Forecaster = typeof forecaster;
