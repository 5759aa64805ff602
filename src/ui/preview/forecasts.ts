// Gives the page its forecasts. The forecaster is a separate chunk, loaded after the first paint. Until it is there, its place
// stays empty.

import { create } from 'zustand';
import { layerWeights } from '../../config/importance';
import type { RunConfig } from '../../config/run-config';
import { errorInfo, type ErrorInfo } from '../../base/errors';
import type { ModelShape } from '../../model/types';
import { expectedCoverage, schedule, type Period } from '../../lisa/schedule';
import type { Forecaster } from './forecaster';

export type ForecasterState =
  | { readonly status: 'loading'; readonly forecaster: null }
  | { readonly status: 'ready'; readonly forecaster: Forecaster }
  | { readonly status: 'failed'; readonly forecaster: null; readonly error: ErrorInfo };

export const useForecaster = create<ForecasterState>(() => ({ status: 'loading', forecaster: null }));

/** Loads once per page, and again after a failure. */
export async function loadForecaster(): Promise<void> {
  if (useForecaster.getState().status === 'ready') return;
  useForecaster.setState({ status: 'loading', forecaster: null }, true);
  try {
    const { forecaster } = await import('./forecaster');
    useForecaster.setState({ status: 'ready', forecaster }, true);
  } catch (thrown) {
    const error: ErrorInfo = {
      ...errorInfo(thrown),
      detail: 'The memory forecast could not be loaded.',
      remedy: 'Check the connection to the page’s server, then try again. Training works without the forecast.',
    };
    useForecaster.setState({ status: 'failed', forecaster: null, error }, true);
  }
}

/** The settings adapted to the model: its own bounds on length and γ, and no sampling weights of another model's layers. */
export function fitConfig(config: RunConfig, shape: ModelShape): RunConfig {
  return {
    ...config,
    seqLen: Math.min(config.seqLen, shape.maxPositions),
    lisaLayers: Math.min(config.lisaLayers, shape.layers),
    lisaWeights: null,
    lisaProfile: null,
    lisaAdapt: 'off',
    lisaSampler: config.lisaSampler === 'weighted' ? 'uniform' : config.lisaSampler,
  };
}

/** With more periods than this, the schedule is not drawn before the run. */
export const PREVIEW_PERIODS = 20_000;

export interface SchedulePreview {
  readonly schedule: readonly Period[];
  readonly periods: number;
  /** The expected number of layers that are trained at least once, over all seeds. Null if the sampler is not uniform. */
  readonly expected: number | null;
}

/** The layers that this seed will draw, and how many such draws reach on average. */
export function previewSchedule(shape: ModelShape, config: RunConfig): SchedulePreview {
  const { lisaLayers: gamma, stepsPerPeriod: period, steps, seed, lisaSampler: sampler } = config;
  const weights = layerWeights(config);
  const periods = Math.ceil(steps / period);
  // Where draws follow from what the run measures, they are not known before it.
  const drawn =
    config.lisaAdapt === 'off' && periods <= PREVIEW_PERIODS
      ? schedule({ layers: shape.layers, gamma, period, steps, seed, sampler, weights })
      : [];
  return {
    schedule: drawn,
    periods,
    expected: sampler === 'uniform' ? shape.layers * expectedCoverage(gamma, shape.layers, steps, period) : null,
  };
}
