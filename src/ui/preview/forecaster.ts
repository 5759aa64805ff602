// Forecasts of one model, remembered by what they depend on, because dragging a slider asks for the same ones repeatedly. This file
// imports the plan and every kernel's text, so it is not in the page's own thread: planner.worker.ts has it.

import { asMethod } from '../../config/as-method';
import type { Method, RunConfig } from '../../config/run-config';
import { errorInfo, type ErrorInfo } from '../../base/errors';
import { forecast, stepFlopsOf, type Forecast } from '../../plan/forecast';
import { flopsKey, memoryKey, type PlannedModel } from './forecast-key';

export type ForecastResult = { readonly forecast: Forecast; readonly error: null } | { readonly forecast: null; readonly error: ErrorInfo };

/** What the page knows of a run's memory and work. Null: it is not known yet, or the settings cannot run. */
export interface Forecaster {
  memory(model: PlannedModel, config: RunConfig, method?: Method): ForecastResult | null;
  /** FLOPs of one optimizer step with full rows. */
  stepFlops(model: PlannedModel, config: RunConfig): number | null;
}

const REMEMBERED = 256;

/** The last results by key; the oldest are dropped first. */
function remembering<T>(make: (model: PlannedModel, config: RunConfig) => T, keyOf: (model: PlannedModel, config: RunConfig) => string) {
  const known = new Map<string, T>();
  return (model: PlannedModel, config: RunConfig): T => {
    const key = keyOf(model, config);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(model, config);
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value ?? '');
    known.set(key, made);
    return made;
  };
}

/** A shape that cannot be planned gives an error, not a number. */
const memoryOf = remembering<ForecastResult>(({ shape, types, dataTokens }, config) => {
  try {
    return { forecast: forecast(shape, config, types, dataTokens), error: null };
  } catch (thrown) {
    return { forecast: null, error: errorInfo(thrown) };
  }
}, memoryKey);

const flopsOf = remembering<number | null>(({ shape, dataTokens }, config) => {
  try {
    return stepFlopsOf(shape, config, dataTokens);
  } catch {
    return null; // The memory forecast of the same settings gives the reason.
  }
}, flopsKey);

/** Plans at once. */
export const forecaster = {
  memory: (model: PlannedModel, config: RunConfig, method: Method = config.method): ForecastResult =>
    memoryOf(model, asMethod(config, method, model.shape.layers)),
  stepFlops: flopsOf,
} satisfies Forecaster;
