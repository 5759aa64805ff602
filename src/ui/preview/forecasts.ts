// Forecasts of the three methods for one model, remembered by their inputs: typing in the form asks again and
// again for the same ones.

import type { Method, RunConfig } from '../../config';
import { errorInfo, type ErrorInfo } from '../../errors';
import { expectedCoverage, schedule } from '../../lisa/schedule';
import type { ModelShape } from '../../model/types';
import { forecast, type Forecast } from '../../plan/forecast';
import type { Period } from '../../train/protocol';

export type Forecasts = Readonly<Record<Method, Forecast>>;
export type ForecastResult =
  { readonly forecasts: Forecasts; readonly error: null } | { readonly forecasts: null; readonly error: ErrorInfo };

const REMEMBERED = 64;
const memory = new Map<string, ForecastResult>();

/** Bars of the three methods with everything else equal. A shape that cannot be planned is an error, not a number. */
export function forecastsFor(shape: ModelShape, config: RunConfig): ForecastResult {
  const key = JSON.stringify([shape, config]);
  const known = memory.get(key);
  if (known) return known;
  let result: ForecastResult;
  try {
    const of = (method: Method): Forecast => forecast(shape, { ...config, method });
    result = { forecasts: { full: of('full'), lora: of('lora'), lisa: of('lisa') }, error: null };
  } catch (thrown) {
    result = { forecasts: null, error: errorInfo(thrown) };
  }
  if (memory.size >= REMEMBERED) memory.delete(memory.keys().next().value ?? '');
  memory.set(key, result);
  return result;
}

/** The same settings where the model allows them: its own bounds on length and γ, no weights of another model's layers. */
export function fitConfig(config: RunConfig, shape: ModelShape): RunConfig {
  return {
    ...config,
    seqLen: Math.min(config.seqLen, shape.maxPositions),
    lisaLayers: Math.min(config.lisaLayers, shape.layers),
    lisaWeights: null,
    lisaSampler: config.lisaSampler === 'weighted' ? 'uniform' : config.lisaSampler,
  };
}

/** Periods beyond which the schedule is not drawn ahead of the run. */
export const PREVIEW_PERIODS = 20_000;

export interface SchedulePreview {
  readonly schedule: readonly Period[];
  readonly periods: number;
  /** Layers that are expected to be trained at least once, over all seeds. Null where the sampler is not uniform. */
  readonly expected: number | null;
}

/** The layers that this seed will draw, and how many such draws reach on average. */
export function previewSchedule(shape: ModelShape, config: RunConfig): SchedulePreview {
  const { lisaLayers: gamma, lisaPeriod: period, steps, seed, lisaSampler: sampler, lisaWeights: weights } = config;
  const periods = Math.ceil(steps / period);
  const drawn = periods <= PREVIEW_PERIODS ? schedule({ layers: shape.layers, gamma, period, steps, seed, sampler, weights }) : [];
  return {
    schedule: drawn,
    periods,
    expected: sampler === 'uniform' ? shape.layers * expectedCoverage(gamma, shape.layers, steps, period) : null,
  };
}
