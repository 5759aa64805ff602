// Gives the page its forecasts. They are planned in the planner's thread, which starts after the first paint; until one is there, its
// place stays empty.

import { create } from 'zustand';
import { layerWeights } from '../../config/importance';
import { asMethod } from '../../config/as-method';
import type { Method, RunConfig } from '../../config/run-config';
import type { ModelShape } from '../../model/types';
import { expectedCoverage, schedule, type Period } from '../../lisa/schedule';
import { flopsKey, kindKey, memoryKey, type PlannedModel } from './forecast-key';
import type { Forecaster, ForecastResult } from './forecaster';
import { planner } from './planning';

const REMEMBERED = 256;

/** Forecasts that wait for the planner's thread. More than are on the screen at once; beyond them the oldest gives way. */
const MOST_WAITING = 16;

type Ask = <K extends 'memory' | 'flops'>(
  place: string,
  kind: K,
  question: { readonly model: PlannedModel; readonly config: RunConfig },
) => Promise<{ readonly answer: unknown; readonly error: unknown } | null>;

/**
 * What the planner has answered so far. A forecast that is not there is asked for; until it comes, the last one of the same model and method
 * stands in for it, so that nothing on the screen comes and goes while a slider is dragged.
 */
export class KnownForecasts implements Forecaster {
  readonly #ask: Ask;
  readonly #onAnswer: () => void;
  readonly #known = new Map<string, unknown>();
  readonly #last = new Map<string, unknown>();
  readonly #asked = new Set<string>();
  #count = 0;

  constructor(ask: Ask, onAnswer: () => void) {
    this.#ask = ask;
    this.#onAnswer = onAnswer;
  }

  memory(model: PlannedModel, config: RunConfig, method: Method = config.method): ForecastResult | null {
    const wanted = asMethod(config, method, model.shape.layers);
    return this.#get('memory', memoryKey(model, wanted), model, wanted) as ForecastResult | null;
  }

  stepFlops(model: PlannedModel, config: RunConfig): number | null {
    return this.#get('flops', flopsKey(model, config), model, config) as number | null;
  }

  #get(kind: 'memory' | 'flops', of: string, model: PlannedModel, config: RunConfig): unknown {
    const [key, near] = [`${kind} ${of}`, `${kind} ${kindKey(model, config)}`];
    if (this.#known.has(key)) return this.#known.get(key);
    if (!this.#asked.has(key)) {
      this.#asked.add(key);
      void this.#ask(`${kind} ${this.#count++ % MOST_WAITING}`, kind, { model, config }).then((reply) => {
        this.#asked.delete(key);
        if (!reply || reply.error !== null) return;
        if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value ?? '');
        this.#known.set(key, reply.answer);
        this.#last.set(near, reply.answer);
        this.#onAnswer();
      });
    }
    return this.#last.get(near) ?? null;
  }
}

/** Null until the page has been painted once. A new one after every answer, so that what was calculated from it is calculated again. */
export const useForecaster = create<{ readonly forecaster: Forecaster | null }>(() => ({ forecaster: null }));

export function startForecasts(): void {
  const known = new KnownForecasts(
    (...asked) => planner.ask(...asked),
    () => publish(),
  );
  const publish = (): void =>
    useForecaster.setState({
      forecaster: { memory: (...of) => known.memory(...of), stepFlops: (...of) => known.stepFlops(...of) },
    });
  publish();
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
