// What a run reports about itself: at its start (what it consists of), and at its end (its results).

import { asMethod } from '../config/as-method';
import { policiesOf } from '../config/policies';
import type { RunConfig } from '../config/run-config';
import { parameterCount } from '../model/parameters';
import { firstAssignment, firstBlocks, forecast, trainableParameters, type Forecast } from '../plan/forecast';
import { scheduleConfig, type KernelChoice } from '../plan/input';
import type { KernelSetUse } from './checkpoint';
import { withTotal } from '../dispatch/memory';
import { keptWider, storedParameters } from '../plan/storage';
import { blockBytes } from '../plan/block-bytes';
import type { Engine } from '../engine/engine';
import type { RunInputs } from './prepare';
import type { AdaptiveImportance } from '../lisa/adaptive';
import { withFloor } from '../lisa/importance';
import { bernoulliReport, certainLayers, inclusionProbabilities, tosses, type Period } from '../lisa/schedule';
import type { ImportanceReport, Prepared, RunReport } from './events';

export type Forecasts = Prepared['forecasts'];

/** Forecasts of all three methods for this model and batch shape. */
export function forecastMethods({ config, files, dataset }: RunInputs): Forecasts {
  const of = (method: RunConfig['method']): Forecast =>
    forecast(files.shape, asMethod(config, method, files.shape.layers), files.types, dataset.tokens.length);
  return { full: of('full'), lisa: of('lisa'), lora: of('lora') };
}

/** The facts for both reports. */
export interface RunFacts {
  readonly inputs: RunInputs;
  readonly engine: Engine;
  readonly forecasts: Forecasts;
  readonly schedule: readonly Period[];
  /** Where layers are drawn by what the run measures of them. */
  readonly adaptive: AdaptiveImportance | null;
  /** The sets of kernels that the run had, the present one last. */
  readonly kernelSets: readonly KernelSetUse[];
  /** Of the model before training. */
  readonly modelFingerprint: string;
}

const sizes = ({ inputs: { config, files }, engine: { plan } }: RunFacts): Pick<RunReport, 'parameters' | 'trainable'> => ({
  parameters: parameterCount(files.table),
  trainable: trainableParameters(plan, firstAssignment(plan.input, config), firstBlocks(plan.input, config)),
});

/** Told even where the data uses the whole vocabulary, so that all rows train. */
function rowsOf({ config, files, dataset }: RunInputs): Pick<Prepared, 'rows'> {
  const { tied, vocab } = files.shape;
  const { embedding, head } = policiesOf(config, tied);
  if (config.method !== 'lisa' || (embedding !== 'rows' && head !== 'rows')) return {};
  return { rows: { trained: dataset.tokens.length, all: vocab } };
}

/** By which weights this run draws; nothing where it draws by none. */
function importanceOf({ inputs: { config, files }, adaptive }: RunFacts): Pick<RunReport, 'importance'> {
  const { method, lisaSampler, lisaProfile, lisaWeights, lisaAdapt } = config;
  if (method !== 'lisa' || !(lisaSampler === 'weighted' || tosses(lisaSampler))) return {};
  const draws = scheduleConfig(files.shape, config);
  const chances = (weights: readonly number[]): Pick<ImportanceReport, 'weights' | 'expected' | 'certain'> => ({
    weights,
    expected: inclusionProbabilities(draws, weights),
    certain: certainLayers(draws, weights),
  });
  if (adaptive && lisaAdapt !== 'off') {
    const { history, periods, weights } = adaptive;
    const facts = { source: lisaAdapt, fingerprint: null, steps: periods.length * config.stepsPerPeriod };
    return { importance: { ...facts, ...chances(weights), adapted: { by: lisaAdapt, history } } };
  }
  const use = lisaProfile ?? (lisaWeights && { source: 'painted' as const, fingerprint: null, steps: 0, weights: lisaWeights });
  return use ? { importance: { ...use, ...chances(withFloor(use.weights)) } } : {};
}

/** Periods that will be drawn by what is measured have their place, and no layers yet. */
function knownSchedule({ schedule, inputs: { config }, adaptive }: RunFacts): readonly Period[] {
  if (!adaptive) return schedule;
  const periods = Math.ceil(config.steps / config.stepsPerPeriod);
  const later = Array.from({ length: periods }, (_, period) => ({ period, firstStep: period * config.stepsPerPeriod + 1, layers: [] }));
  return [...schedule, ...later.slice(schedule.length)];
}

export function preparedOf(facts: RunFacts, firstStep: number): Prepared {
  const { files, dataset } = facts.inputs;
  return {
    modelName: files.name,
    shape: files.shape,
    ...sizes(facts),
    data: dataset.summary,
    device: facts.engine.gpu.description,
    forecasts: facts.forecasts,
    schedule: knownSchedule(facts),
    blocks: blockBytes(facts.engine.plan),
    keptWider: keptWider(facts.engine.plan.input),
    ...rowsOf(facts.inputs),
    ...importanceOf(facts),
    firstStep,
  };
}

/** Names the families, and where a resumed run changed to other kernels: its bits are then not those of a run that was never interrupted. */
function kernelsInWords({ matmul, attention }: KernelChoice, sets: readonly KernelSetUse[]): string {
  const earlier = sets.slice(0, -1).map(({ set }, i) => `set ${set} until step ${sets[i + 1].step}`);
  const set = [`set ${sets[sets.length - 1].set}`, ...earlier].join(', ');
  return `matmul ${matmul}, attention ${attention} (${set})`;
}

export function reportOf(
  facts: RunFacts,
  measured: Pick<RunReport, 'steps' | 'tokensPerSecond' | 'updates' | 'evalLoss' | 'rounding'>,
): RunReport {
  const { engine, forecasts, inputs, schedule } = facts;
  const { config, files } = inputs;
  const { method, lisaSampler } = config;
  return {
    method,
    model: { name: files.name, fingerprint: facts.modelFingerprint, layers: files.shape.layers },
    data: { name: inputs.dataset.summary.name, rows: inputs.dataset.summary.rows },
    device: engine.gpu.description,
    kernels: kernelsInWords(engine.plan.input.kernels, facts.kernelSets),
    schedule,
    memory: {
      forecast: withTotal(forecasts[method].bytes),
      peak: withTotal(engine.allocator.reading().peak),
      fullForecast: withTotal(forecasts.full.bytes),
      loraForecast: withTotal(forecasts.lora.bytes),
    },
    ...sizes(facts),
    ...(method === 'lisa' &&
      tosses(lisaSampler) && { bernoulli: facts.adaptive?.tosses ?? bernoulliReport(scheduleConfig(files.shape, config)) }),
    ...importanceOf(facts),
    stored: storedParameters([...engine.plan.buffers.blocks.values()].flatMap(({ rows }) => rows)),
    ...measured,
  };
}
