// Importance that is measured while a run trains: each drawn layer is measured, and the next period is drawn by the means so far. Layers
// that were not drawn yet count as the mean of the others. What was measured is recorded, so that a resumed run draws the same. Pure.

import { AppError } from '../base/errors';
import type { PolicyName } from '../config/policies';
import type { RunConfig } from '../config/run-config';
import { fromGradientNorms, withFloor } from './importance';
import {
  addTosses,
  drawBlocks,
  drawPeriod,
  noTosses,
  rateCorrections,
  tossesOf,
  type BernoulliReport,
  type Period,
  type ScheduleConfig,
  type Turns,
} from './schedule';

/** p_l by which a period was drawn. */
export interface PeriodWeights {
  readonly period: number;
  readonly weights: readonly number[];
}

/** For a checkpoint. */
export interface AdaptiveState {
  /** By layer: sum of what was measured, and how often. */
  readonly sums: readonly number[];
  readonly counts: readonly number[];
  /** [layers, blocks] of each period that has begun. */
  readonly drawn: readonly (readonly [layers: readonly number[], blocks: readonly PolicyName[]])[];
  /** Of the period that began last; null while nothing has been measured and none were given. */
  readonly weights: readonly number[] | null;
  /** p_l through time: of every stride-th period. */
  readonly history: readonly PeriodWeights[];
  readonly stride: number;
  readonly tosses: BernoulliReport;
}

/** Periods of which p_l is kept; a longer run keeps every second of them, then every fourth. */
const MOST_HISTORY = 400;

export class AdaptiveImportance {
  readonly #config: ScheduleConfig;
  readonly #sums: number[];
  readonly #counts: number[];
  readonly #drawn: [readonly number[], readonly PolicyName[]][] = [];
  #weights: readonly number[] | null;
  #history: PeriodWeights[] = [];
  #stride = 1;
  #tosses: BernoulliReport;

  /** `config.weights`, if there are any, hold until a layer is measured. */
  constructor(config: ScheduleConfig) {
    this.#config = config;
    this.#sums = Array.from({ length: config.layers }, () => 0);
    this.#counts = Array.from({ length: config.layers }, () => 0);
    this.#weights = config.weights && withFloor(config.weights);
    this.#tosses = noTosses(config);
  }

  /** Adds what was measured of a layer in training: a number from 0. */
  note(layer: number, value: number): void {
    if (!Number.isFinite(value)) return;
    this.#sums[layer] += value;
    this.#counts[layer]++;
  }

  /** p_l as they are now; null while nothing says more than that all layers are equal. */
  #now(): readonly number[] | null {
    const means = this.#sums.map((sum, layer) => (this.#counts[layer] > 0 ? sum / this.#counts[layer] : null));
    // Means that are all zero tell no layer from another.
    return means.some((mean) => mean !== null && mean > 0) ? withFloor(fromGradientNorms(means)) : this.#weights;
  }

  /** Layers and blocks of a period that has begun, or of the next one, which begins now. */
  at(period: number): { readonly layers: readonly number[]; readonly blocks: readonly PolicyName[] } {
    if (period === this.#drawn.length) this.#begin(period);
    if (period >= this.#drawn.length) throw new AppError('INTERNAL', `Period ${period} is drawn before those ahead of it.`, '');
    const [layers, blocks] = this.#drawn[period];
    return { layers, blocks };
  }

  #begin(period: number): void {
    this.#weights = this.#now();
    const weights = this.#weights ?? undefined;
    const config = { ...this.#config, weights: weights ?? equal(this.#config.layers) };
    this.#drawn.push([drawPeriod(config, period, weights), drawBlocks(config, period, weights)]);
    this.#tosses = addTosses(this.#tosses, tossesOf(config, period, weights));
    if (period % this.#stride !== 0) return;
    this.#history.push({ period, weights: config.weights.map((weight) => weight) });
    if (this.#history.length <= MOST_HISTORY) return;
    this.#stride *= 2;
    this.#history = this.#history.filter((entry) => entry.period % this.#stride === 0);
  }

  /** p_l of the period that began last; equal while nothing says otherwise. */
  get weights(): readonly number[] {
    return this.#weights ?? equal(this.#config.layers);
  }

  get history(): readonly PeriodWeights[] {
    return this.#history;
  }

  get tosses(): BernoulliReport {
    return this.#tosses;
  }

  /** Periods that have begun. */
  get periods(): readonly Period[] {
    return this.#drawn.map(([layers, blocks], period) => ({
      period,
      firstStep: period * this.#config.period + 1,
      layers,
      ...(blocks.length > 0 && { blocks }),
    }));
  }

  state(): AdaptiveState {
    return {
      sums: [...this.#sums],
      counts: [...this.#counts],
      drawn: [...this.#drawn],
      weights: this.#weights,
      history: [...this.#history],
      stride: this.#stride,
      tosses: this.#tosses,
    };
  }

  /** Throws CHECKPOINT_MISMATCH if it is of another number of layers. */
  restore({ sums, counts, drawn, weights, history, stride, tosses }: AdaptiveState): void {
    const { layers } = this.#config;
    if (sums.length !== layers || counts.length !== layers || (weights && weights.length !== layers))
      throw new AppError(
        'CHECKPOINT_MISMATCH',
        'The importance in the checkpoint is of another number of layers.',
        'Resume with the model of that run.',
      );
    sums.forEach((sum, layer) => (this.#sums[layer] = sum));
    counts.forEach((count, layer) => (this.#counts[layer] = count));
    this.#drawn.length = 0;
    for (const [drawnLayers, blocks] of drawn) this.#drawn.push([drawnLayers, blocks]);
    this.#weights = weights;
    this.#history = [...history];
    this.#stride = stride;
    this.#tosses = tosses;
  }
}

/** Turns of a run that draws by what it measures; a period is asked for after all before it have been measured. */
export function adaptiveTurns(
  { lisaRewarm, lisaCorrectRate }: Pick<RunConfig, 'lisaRewarm' | 'lisaCorrectRate'>,
  config: ScheduleConfig,
  importance: AdaptiveImportance,
): Turns {
  return {
    stepsPerPeriod: config.period,
    rewarm: lisaRewarm,
    layersOf: (period) => importance.at(period).layers,
    blocksOf: (period) => importance.at(period).blocks,
    ...(lisaCorrectRate && { rateOf: (layer: number) => rateCorrections(config, importance.weights)[layer] }),
  };
}

const equal = (layers: number): number[] => Array.from({ length: layers }, () => 1 / layers);
