// The figures of one step in words, for the line above the curves. Pure.

import type { RunConfig } from '../../config/run-config';
import { learningRate } from '../../config/learning-rate';
import type { Column } from '../../store/run/columns';
import type { RunMetrics } from '../../store/run/metrics';
import type { EvalPoint } from '../../store/run/run';
import type { Period } from '../../lisa/schedule';
import { formatCount, formatList, formatLoss, formatRate } from '../format';

export interface ReadoutInput {
  readonly metrics: RunMetrics;
  /** The smoothed loss so far. */
  readonly smooth: Column;
  readonly evals: readonly EvalPoint[];
  readonly config: RunConfig;
  /** Empty unless layers are sampled. */
  readonly schedule: readonly Period[];
}

export interface Readout {
  readonly head: string;
  /** Parts of a sentence; a line break never splits one. */
  readonly parts: readonly string[];
  /** What the loss means; empty if there is no loss. */
  readonly meaning: string;
}

/** Index of a step in the columns, or −1. Steps ascend; a resumed run does not begin at 1. */
export function indexOfStep(steps: Column, step: number): number {
  const guess = step - steps.at(0);
  if (steps.at(guess) === step) return guess;
  let low = 0;
  let high = steps.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = steps.at(middle);
    if (found === step) return middle;
    if (found < step) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The last evaluation at or before a step. */
export function evalAt(evals: readonly EvalPoint[], step: number): EvalPoint | undefined {
  let low = 0;
  let high = evals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (evals[middle].step <= step) low = middle + 1;
    else high = middle;
  }
  return evals[low - 1];
}

/** "≈ choosing among 8 tokens": exp(loss). */
export function lossInWords(loss: number): string {
  const tokens = Math.exp(loss);
  // No more digits than the comparison needs.
  const about = tokens < 3 ? tokens.toFixed(1) : formatCount(Number(tokens.toPrecision(2)));
  return `≈ choosing among ${about} tokens`;
}

/** step: the one pointed at; null: the latest. */
export function readout(input: ReadoutInput, step: number | null): Readout {
  const { metrics, config, evals } = input;
  const at = step ?? (metrics.step.length > 0 ? metrics.step.last : (evals.at(-1)?.step ?? NaN));
  if (Number.isNaN(at)) return { head: 'No step yet', parts: [], meaning: '' };
  const index = indexOfStep(metrics.step, at);
  const evaluation = evalText(evals, at);
  if (index >= 0)
    return { head: `Step ${formatCount(at)}`, ...measured(input, index, evaluation), meaning: meaningOf(metrics.loss.at(index)) };
  if (at === 0) return { head: 'Before step 1', parts: evaluation, meaning: meaningOf(evalAt(evals, 0)?.loss ?? NaN) };
  if (metrics.step.length > 0 && at < metrics.step.at(0)) {
    return { head: `Step ${formatCount(at)}`, parts: ['before this run resumed', ...evaluation, ...layersText(input, at)], meaning: '' };
  }
  const rate = `learning rate ${formatRate(learningRate(config, at - 1))}`;
  return { head: `Step ${formatCount(at)}, scheduled`, parts: [rate, ...layersText(input, at)], meaning: '' };
}

function measured(input: ReadoutInput, index: number, evaluation: readonly string[]): Pick<Readout, 'parts'> {
  const { metrics, smooth, config } = input;
  const norm = metrics.gradNorm.at(index);
  const clipped = isClipped(norm, config.gradClip) ? ` (clipped to ${formatRate(config.gradClip)})` : '';
  return {
    parts: [
      `loss ${formatLoss(metrics.loss.at(index))} (smoothed ${formatLoss(smooth.at(index))})`,
      ...evaluation,
      `learning rate ${formatRate(metrics.lr.at(index))}`,
      `gradient norm ${Number.isFinite(norm) ? norm.toPrecision(3) : '–'}${clipped}`,
      ...layersText(input, metrics.step.at(index)),
    ],
  };
}

const meaningOf = (loss: number): string => (Number.isFinite(loss) ? `Loss ${formatLoss(loss)}: ${lossInWords(loss)}.` : '');

function evalText(evals: readonly EvalPoint[], step: number): string[] {
  const found = evalAt(evals, step);
  if (!found) return [];
  return [`evaluation ${formatLoss(found.loss)}${found.step === step ? '' : ` (step ${formatCount(found.step)})`}`];
}

function layersText({ metrics, schedule }: ReadoutInput, step: number): string[] {
  if (metrics.periodSteps === null) return [];
  const period = Math.floor((step - 1) / metrics.periodSteps);
  const first = metrics.periods[0];
  const seen = first && metrics.periods[period - first.period];
  const layers = seen?.period === period ? seen.layers : schedule[period]?.layers;
  if (!layers) return [];
  return [layersInWords(layers)];
}

/** "layers 3 and 6", "layer 3", "no layer". */
export function layersInWords(layers: readonly number[]): string {
  if (layers.length === 0) return 'no layer';
  return `${layers.length === 1 ? 'layer' : 'layers'} ${formatList([...layers].sort((a, b) => a - b))}`;
}

/** As in the optimizer: the scale is min(1, clip / (norm + 1e-6)), and 0 turns clipping off. */
export const isClipped = (norm: number, clip: number): boolean => clip > 0 && norm + 1e-6 > clip;
