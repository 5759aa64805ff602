// LISA's schedule: which layers are trained in which optimizer steps. Pure: the layers of period i follow only from (seed,
// configuration, i, recorded importance). So a run can be previewed before it starts, and is the same after a resume. Period i
// covers the steps iK + 1 … (i + 1)K.

import type { PolicyName } from '../config/policies';
import type { LisaSampler, RunConfig } from '../config/run-config';
import { AppError, unreachable } from '../base/errors';
import { randomStream, type RandomStream } from '../base/random';
import { withFloor } from './importance';
import {
  bernoulliInclusion,
  bernoulliProbabilities,
  drawAlgorithm1,
  drawBernoulli,
  drawCycle,
  drawSystematic,
  drawUniform,
  ppsProbabilities,
  type BernoulliDraw,
} from './samplers';

export interface ScheduleConfig {
  /** L */
  readonly layers: number;
  /** γ: layers of a period; for `bernoulli` and `algorithm1` their mean, before redraws and the pool's cap. */
  readonly gamma: number;
  /** K: optimizer steps of a period. */
  readonly period: number;
  /** Optimizer steps of the run. */
  readonly steps: number;
  readonly seed: number;
  readonly sampler: LisaSampler;
  /** p_l, one per layer, for the samplers that use them; null: all equal. */
  readonly weights: readonly number[] | null;
  /** What is drawn beside the layers, as blocks of their own of which γ counts each as one; absent: nothing. Weighs like a mean layer. */
  readonly sampled?: readonly PolicyName[];
  /** Weights are measured while the run trains (adaptive.ts), so that only the first period is known before it. */
  readonly adapts?: boolean;
}

export interface Period {
  /** From 0. */
  readonly period: number;
  /** From 1. */
  readonly firstStep: number;
  /** Ascending. */
  readonly layers: readonly number[];
  /** Of embedding, head and norm, what was drawn with them; absent where none of these is drawn. */
  readonly blocks?: readonly PolicyName[];
}

/** Throws CONFIG_INVALID if no schedule can be drawn. */
function checkSchedule(config: ScheduleConfig, importance?: readonly number[]): void {
  const { layers, gamma, period, steps, sampler } = config;
  const weights = importance ?? config.weights;
  const refuse = (detail: string, remedy: string): never => {
    throw new AppError('CONFIG_INVALID', detail, remedy);
  };
  if (!isWhole(layers, 1)) refuse(`A model with ${layers} layers has no layers to draw.`, 'Choose another model.');
  if (!isWhole(gamma, 1)) refuse(`γ = ${gamma} is not a number of layers.`, 'Give a whole number from 1.');
  if (gamma > layers) refuse(`γ = ${gamma} is more than the model's ${layers} layers.`, `Give at most ${layers}.`);
  if (!isWhole(period, 1)) refuse(`K = ${period} is not a number of steps.`, 'Give a whole number from 1.');
  if (!isWhole(steps, 0)) refuse(`${steps} is not a number of steps.`, 'Give a whole number.');
  if (weights && weights.length !== layers) refuse(`${weights.length} weights for ${layers} layers.`, 'Give one weight per layer.');
  if (sampler === 'weighted' && !weights && !config.adapts) {
    refuse('The weighted sampler has no weights.', 'Give one weight per layer, or choose another sampler.');
  }
}

const isWhole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

/** The period that holds an optimizer step, both from where they count: step from 1, period from 0. */
export const periodOf = (step: number, stepsPerPeriod: number): number => Math.floor((step - 1) / stepsPerPeriod);

/** True where no period is under way after so many steps: the last of them ended one, and the next begins another. */
export const startsPeriod = (completed: number, stepsPerPeriod: number): boolean => completed % stepsPerPeriod === 0;

const periodCount = (config: ScheduleConfig): number => Math.ceil(config.steps / config.period);

/**
 * Layers of period `index` (from 0), ascending; none if only other blocks are drawn. `importance` takes the place of config.weights where
 * it was measured in the run.
 */
export const drawPeriod = (config: ScheduleConfig, index: number, importance?: readonly number[]): number[] =>
  drawUnits(config, index, importance).filter((unit) => unit < config.layers);

/** What period `index` draws beside its layers. */
export const drawBlocks = (config: ScheduleConfig, index: number, importance?: readonly number[]): PolicyName[] =>
  (config.sampled ?? []).length === 0
    ? []
    : drawUnits(config, index, importance).flatMap((unit) => (unit < config.layers ? [] : [config.sampled![unit - config.layers]]));

/** Layers, and the number of layers and more for the blocks beside them. */
const unitCount = ({ layers, sampled = [] }: ScheduleConfig): number => layers + sampled.length;

function drawUnits(config: ScheduleConfig, index: number, importance?: readonly number[]): number[] {
  checkSchedule(config, importance);
  const { gamma, sampler } = config;
  switch (sampler) {
    case 'uniform':
      return drawUniform(unitCount(config), gamma, streamOf(config, index));
    case 'bernoulli':
    case 'algorithm1':
      return [...tossed(config, index, importance).layers];
    case 'cycle':
      return drawCycle(unitCount(config), gamma, index, (round) => streamOf(config, round));
    case 'weighted':
      return drawSystematic(ppsProbabilities(weightsOf(config, importance), gamma), streamOf(config, index));
    default:
      return unreachable(sampler);
  }
}

/** Who trains when. A run's steps, its watch over periods and its report draw layers from here, whatever the method. */
export interface Turns {
  /** K; Infinity where one period holds the whole run. */
  readonly stepsPerPeriod: number;
  /** Updates over which a layer that joins comes up to the learning rate. 0: it joins at the full rate. */
  readonly rewarm: number;
  /** Layers of a period (from 0), ascending. */
  readonly layersOf: (period: number) => readonly number[];
  /** What trains beside them in a period, of what is drawn like a layer. */
  readonly blocksOf: (period: number) => readonly PolicyName[];
  /** By what a layer's learning rate is multiplied; absent: 1. */
  readonly rateOf?: (layer: number) => number;
}

/** Largest factor of the correction: with Adam, an update is as large as the rate whatever the gradient. */
const MOST_CORRECTION = 10;

/**
 * Factors by which learning rates make up for unequal draws: (γ/L) / π_l, so that a layer drawn half as often takes steps twice as large, and
 * all are 1 where all are equally likely. At most 10.
 */
export function rateCorrections(config: ScheduleConfig, importance?: readonly number[]): number[] {
  const usual = config.gamma / unitCount(config);
  return inclusionProbabilities(config, importance).map((p) => Math.min(MOST_CORRECTION, usual / p));
}

/** LISA draws layers by period; full training and LoRA are one endless period of all layers. */
export function turnsOf(
  { method, lisaRewarm, lisaCorrectRate = false }: Pick<RunConfig, 'method' | 'lisaRewarm'> & Partial<Pick<RunConfig, 'lisaCorrectRate'>>,
  config: ScheduleConfig,
): Turns {
  if (method === 'lisa') {
    const corrections = lisaCorrectRate ? rateCorrections(config) : null;
    return {
      stepsPerPeriod: config.period,
      rewarm: lisaRewarm,
      layersOf: (period) => drawPeriod(config, period),
      blocksOf: (period) => drawBlocks(config, period),
      ...(corrections && { rateOf: (layer: number) => corrections[layer] }),
    };
  }
  const all = Array.from({ length: config.layers }, (_, layer) => layer);
  return { stepsPerPeriod: Infinity, rewarm: 0, layersOf: () => all, blocksOf: () => [] };
}

/** The periods that a run of so many steps begins, as they are shown and reported; none where one holds the whole run. */
export function listPeriods(turns: Pick<Turns, 'stepsPerPeriod' | 'layersOf'> & Partial<Pick<Turns, 'blocksOf'>>, steps: number): Period[] {
  const { stepsPerPeriod, layersOf, blocksOf = () => [] } = turns;
  if (stepsPerPeriod === Infinity) return [];
  return Array.from({ length: Math.ceil(steps / stepsPerPeriod) }, (_, period) => {
    const blocks = blocksOf(period);
    return { period, firstStep: period * stepsPerPeriod + 1, layers: layersOf(period), ...(blocks.length > 0 && { blocks }) };
  });
}

/** All ceil(steps / K) periods of LISA, drawn with config.weights. */
export function schedule(config: ScheduleConfig): Period[] {
  checkSchedule(config);
  const turns = { layersOf: (period: number) => drawPeriod(config, period), blocksOf: (period: number) => drawBlocks(config, period) };
  return listPeriods({ stepsPerPeriod: config.period, ...turns }, config.steps);
}

/**
 * The lowest layer that any period of the seeded schedule trains. It draws until the answer is certain and keeps no draws,
 * because runs may have millions of periods.
 */
export function lowestLayer(config: ScheduleConfig): number {
  // The worst draw there could be.
  if (config.adapts) return 0;
  let lowest = config.layers - 1;
  for (let period = 0; period < periodCount(config) && lowest > 0; period++)
    lowest = Math.min(lowest, drawPeriod(config, period)[0] ?? lowest);
  return lowest;
}

/**
 * The most layers that any period of the seeded schedule trains: the number of optimizer slots. Draws until it is sure.
 * It changes no draw: a period is cut to poolSize, whatever the others draw.
 */
export function mostLayers(config: ScheduleConfig): number {
  const cap = poolSize(config);
  if (!tosses(config.sampler) || config.adapts) return cap;
  let most = 1;
  for (let period = 0; period < periodCount(config) && most < cap; period++) most = Math.max(most, drawPeriod(config, period).length);
  return most;
}

/** Samplers that toss a coin for each layer, so that the number of layers varies. */
export const tosses = (sampler: LisaSampler): boolean => sampler === 'bernoulli' || sampler === 'algorithm1';

/**
 * The most layers that a period can have. γ where exactly γ are drawn. Where a coin is tossed for each layer, three standard deviations above
 * the mean if all layers are equally likely: γ + 3·√(γ(1 − γ/L)), rounded up, at most L; larger draws are cut to it. It
 * depends on γ and L alone, so importance that changes in the run cannot outgrow it.
 */
export function poolSize(config: ScheduleConfig): number {
  const { layers, gamma, sampler } = config;
  checkSchedule({ ...config, sampler: 'uniform' });
  if (!tosses(sampler)) return gamma;
  return Math.min(layers, Math.ceil(gamma + 3 * Math.sqrt(gamma * (1 - gamma / unitCount(config)))));
}

/** Chance of each layer to be in a period: exact, with the redraws and the cap of `bernoulli`. */
export const inclusionProbabilities = (config: ScheduleConfig, importance?: readonly number[]): number[] =>
  unitProbabilities(config, importance).slice(0, config.layers);

function unitProbabilities(config: ScheduleConfig, importance?: readonly number[]): number[] {
  checkSchedule(config, importance);
  const weights = weightsOf(config, importance);
  switch (config.sampler) {
    case 'uniform':
    case 'cycle':
      return weights.map(() => config.gamma / unitCount(config));
    case 'bernoulli':
      return bernoulliInclusion(bernoulliProbabilities(weights, config.gamma), poolSize(config));
    case 'algorithm1':
      return bernoulliInclusion(ppsProbabilities(weights, config.gamma), poolSize(config), true);
    case 'weighted':
      return ppsProbabilities(weights, config.gamma);
    default:
      return unreachable(config.sampler);
  }
}

/** Layers that every period trains although γ < L, because γ·p_l/Σp is 1 or more; what is above 1 went to the others. */
export function certainLayers(config: ScheduleConfig, importance?: readonly number[]): number[] {
  if (config.gamma >= unitCount(config) || (config.sampler !== 'weighted' && !tosses(config.sampler))) return [];
  const probabilities = ppsProbabilities(weightsOf(config, importance), config.gamma).slice(0, config.layers);
  return probabilities.flatMap((p, layer) => (p === 1 ? [layer] : []));
}

/** How often draws by tosses were corrected, or drew nothing. */
export interface BernoulliReport {
  /** Number of empty draws that were discarded. */
  readonly redrawn: number;
  /** Periods that drew more layers than the pool has slots. */
  readonly cappedPeriods: number;
  /** Layers that those periods left out. */
  readonly dropped: number;
  /** Periods without a layer, which `algorithm1` keeps; absent for `bernoulli`. */
  readonly emptyPeriods?: number;
}

/** For periods 0 … periods − 1; all zero where nothing is tossed. */
export function bernoulliReport(config: ScheduleConfig, periods = periodCount(config)): BernoulliReport {
  checkSchedule(config);
  const drawn = tosses(config.sampler) ? periods : 0;
  return Array.from({ length: drawn }, (_, index) => tossesOf(config, index)).reduce(addTosses, noTosses(config));
}

export const noTosses = ({ sampler }: Pick<ScheduleConfig, 'sampler'>): BernoulliReport => ({
  redrawn: 0,
  cappedPeriods: 0,
  dropped: 0,
  ...(sampler === 'algorithm1' && { emptyPeriods: 0 }),
});

/** Of one period. */
export function tossesOf(config: ScheduleConfig, index: number, importance?: readonly number[]): BernoulliReport {
  if (!tosses(config.sampler)) return noTosses(config);
  const { layers, redrawn, dropped } = tossed(config, index, importance);
  const empty = config.sampler === 'algorithm1' && { emptyPeriods: Number(layers.length === 0) };
  return { redrawn, cappedPeriods: Number(dropped > 0), dropped, ...empty };
}

export const addTosses = (a: BernoulliReport, b: BernoulliReport): BernoulliReport => ({
  redrawn: a.redrawn + b.redrawn,
  cappedPeriods: a.cappedPeriods + b.cappedPeriods,
  dropped: a.dropped + b.dropped,
  ...(a.emptyPeriods !== undefined && { emptyPeriods: a.emptyPeriods + (b.emptyPeriods ?? 0) }),
});

/** 1 − (1 − γ/L)^(steps/K): the share of layers that uniform draws are expected to have trained after `steps`. */
export const expectedCoverage = (gamma: number, layers: number, steps: number, period: number): number =>
  1 - (1 - gamma / layers) ** (steps / period);

/** Layers that have been trained in steps 1 … step, ascending. */
export function touchedLayers(periods: readonly Period[], step: number): number[] {
  const touched = new Set(periods.filter(({ firstStep }) => firstStep <= step).flatMap(({ layers }) => layers));
  return [...touched].sort((a, b) => a - b);
}

const streamOf = (config: ScheduleConfig, index: number): RandomStream => randomStream(config.seed, 'lisa', config.sampler, index);

function weightsOf(config: ScheduleConfig, importance?: readonly number[]): number[] {
  const given = importance ?? config.weights;
  const weights = given ? withFloor(given) : Array.from({ length: config.layers }, () => 1);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / config.layers;
  return [...weights, ...(config.sampled ?? []).map(() => mean)];
}

function tossed(config: ScheduleConfig, index: number, importance?: readonly number[]): BernoulliDraw {
  const weights = weightsOf(config, importance);
  const [pool, stream] = [poolSize(config), streamOf(config, index)];
  return config.sampler === 'algorithm1'
    ? drawAlgorithm1(ppsProbabilities(weights, config.gamma), pool, stream)
    : drawBernoulli(bernoulliProbabilities(weights, config.gamma), pool, stream);
}
