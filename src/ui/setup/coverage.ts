// How many layers a run will ever train, before it starts, and what would reach them all. Pure.
// Uniform draws: the share 1 − (1 − γ/L)^(steps/K) is expected. The cycle's is certain. The other samplers' shares
// depend on weights and tosses; the previewed schedule shows them.

import type { RunConfig } from '../../config/run-config';
import { expectedCoverage } from '../../lisa/schedule';
import { formatCount, plural } from '../format';

export interface CoverageAdvice {
  readonly sentence: string;
  /** Each reaches (nearly) every layer by itself. */
  readonly suggestions: readonly { readonly label: string; readonly patch: Partial<RunConfig> }[];
}

/** Expected share of layers that suggestions aim for; more where that would leave half a layer out. */
const AIM = 0.99;

/** One significant digit, down or up: numbers that a person would choose. */
function roundedDown(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Math.floor(value / unit + 1e-9) * unit;
}
function roundedUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / unit - 1e-9) * unit;
}

type Settings = Pick<RunConfig, 'lisaLayers' | 'stepsPerPeriod' | 'lisaSampler' | 'steps'>;

/** Null where the share is not known beforehand, or the settings cannot run. */
export function coverageAdvice(layers: number, settings: Settings): CoverageAdvice | null {
  const { lisaLayers: gamma, stepsPerPeriod: period, steps, lisaSampler: sampler } = settings;
  if (![gamma, period, steps].every((value) => Number.isSafeInteger(value) && value >= 1) || gamma > layers) return null;
  if (sampler === 'uniform') return uniformAdvice(layers, gamma, period, steps);
  return sampler === 'cycle' ? cycleAdvice(layers, gamma, period, steps) : null;
}

const given = (period: number, steps: number): string => `With ${plural(steps, 'step')} at K = ${formatCount(period)}`;

function uniformAdvice(layers: number, gamma: number, period: number, steps: number): CoverageAdvice {
  const share = expectedCoverage(gamma, layers, steps, period);
  if (layers * share > layers - 0.5) {
    const times = (gamma / layers) * (steps / period);
    const often = times >= 1.5 ? `, each about ${formatCount(Math.round(times))} times` : '';
    return { sentence: `${given(period, steps)} all ${plural(layers, 'layer')} are expected to train${often}.`, suggestions: [] };
  }
  const periods = Math.log(1 - Math.max(AIM, 1 - 0.49 / layers)) / Math.log(1 - gamma / layers);
  const about = Math.max(1, Math.round(layers * share));
  return advice(
    `${given(period, steps)} about ${about} of ${layers} layers will ever train`,
    steps / periods >= 1 ? roundedDown(steps / periods) : null,
    roundedUp(periods * period),
  );
}

function cycleAdvice(layers: number, gamma: number, period: number, steps: number): CoverageAdvice {
  const round = Math.ceil(layers / gamma);
  const trained = Math.min(layers, gamma * Math.ceil(steps / period));
  if (trained === layers) return { sentence: `${given(period, steps)} every layer trains.`, suggestions: [] };
  const fastest = Math.floor(steps / round);
  return advice(`${given(period, steps)} ${trained} of ${layers} layers will ever train`, fastest >= 1 ? fastest : null, round * period);
}

function advice(start: string, period: number | null, steps: number): CoverageAdvice {
  const suggestions = [
    ...(period === null ? [] : [{ label: `K = ${formatCount(period)}`, patch: { stepsPerPeriod: period } }]),
    { label: plural(steps, 'step'), patch: { steps } },
  ];
  return { sentence: `${start}: take ${suggestions.map(({ label }) => label).join(' or ')}.`, suggestions };
}
