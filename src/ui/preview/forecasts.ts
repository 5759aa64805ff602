// Where the page gets its forecasts: the forecaster is a piece of the program of its own, loaded after the first
// paint. Until it is there nothing is shown in its place but room.

import { create } from 'zustand';
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

/** Once a page; again after it failed. */
export async function loadForecaster(): Promise<void> {
  if (useForecaster.getState().status === 'ready') return;
  useForecaster.setState({ status: 'loading', forecaster: null }, true);
  try {
    const { forecaster } = await import('./forecaster');
    useForecaster.setState({ status: 'ready', forecaster }, true);
  } catch (thrown) {
    const error: ErrorInfo = {
      ...errorInfo(thrown),
      detail: 'The part of the page that forecasts memory could not be loaded.',
      remedy: 'Check the connection to where the page comes from, then try again. Training works without it.',
    };
    useForecaster.setState({ status: 'failed', forecaster: null, error }, true);
  }
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
