// Forecasts of one model, remembered by what they depend on: dragging a slider asks again and again for the same
// ones. It brings the plan and every kernel's text with it, so it is loaded apart from the page (forecasts.ts).

import type { Method, RunConfig } from '../../config/run-config';
import { errorInfo, type ErrorInfo } from '../../base/errors';
import { forecast, stepFlopsOf, type Forecast } from '../../plan/forecast';
import type { ModelShape, CheckpointTypes } from '../../model/types';

/** What of a model its memory depends on. `types`: of its checkpoint's tensors, where they may be kept so. */
export interface PlannedModel {
  readonly shape: ModelShape;
  readonly types: CheckpointTypes;
}

export type ForecastResult = { readonly forecast: Forecast; readonly error: null } | { readonly forecast: null; readonly error: ErrorInfo };

const REMEMBERED = 256;

/** The last results by key, the oldest forgotten first. */
function remembering<T>(make: (model: PlannedModel, config: RunConfig) => T, keyOf: (config: RunConfig) => unknown) {
  const known = new Map<string, T>();
  return ({ shape, types }: PlannedModel, config: RunConfig): T => {
    const key = JSON.stringify([shape, config.weights === 'stored' ? types : null, keyOf(config)]);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make({ shape, types }, config);
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value ?? '');
    known.set(key, made);
    return made;
  };
}

/** Everything of the settings that the bytes depend on. The draws decide where they count slots, or, below frozen embeddings, kept layers. */
function memoryKey(config: RunConfig): unknown {
  const { method, batchSize, seqLen, sampleTokens, loraRank, lisaLayers, lisaTrain, lisaSampler } = config;
  const { steps, seed, lisaPeriod, lisaWeights } = config;
  const shared = [method, batchSize, seqLen, sampleTokens];
  if (method === 'lora') return [...shared, loraRank];
  if (method === 'full') return shared;
  const draws = lisaTrain.embedding && lisaSampler !== 'bernoulli' ? [] : [steps, seed, lisaPeriod, lisaWeights];
  return [...shared, lisaLayers, lisaTrain, lisaSampler, ...draws];
}

/** Memory of a method with everything else as it is. A shape that cannot be planned is an error, not a number. */
const memoryOf = remembering<ForecastResult>(({ shape, types }, config) => {
  try {
    return { forecast: forecast(shape, config, types), error: null };
  } catch (thrown) {
    return { forecast: null, error: errorInfo(thrown) };
  }
}, memoryKey);

/** FLOPs of one optimizer step at full rows; null where the settings cannot run. */
const flopsOf = remembering<number | null>(
  ({ shape }, config) => {
    try {
      return stepFlopsOf(shape, config);
    } catch {
      return null; // the memory forecast of the same settings says why
    }
  },
  (config) => [memoryKey(config), config.gradAccum, config.seed, config.lisaWeights],
);

const withMethod = (config: RunConfig, method: Method): RunConfig => (config.method === method ? config : { ...config, method });

export const forecaster = {
  memory: (model: PlannedModel, config: RunConfig, method: Method = config.method): ForecastResult =>
    memoryOf(model, withMethod(config, method)),
  stepFlops: flopsOf,
};
export type Forecaster = typeof forecaster;
