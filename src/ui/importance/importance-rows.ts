// The figures of layer importance as rows of a table with bars. Pure.

import type { PeriodWeights } from '../../lisa/adaptive';
import { meanNorms, type ImportanceProfile } from '../../lisa/profile';
import type { ImportanceReport } from '../../train/events';

interface ImportanceRow {
  readonly layer: number;
  /** p_l */
  readonly weight: number;
  /** Length of its bar, 0 to 1: the largest is 1. */
  readonly share: number;
  /** More columns, as text. */
  readonly cells: readonly string[];
  /** Its p through the periods, where it changes: the points of a line, 0 to 1 from bottom to top. */
  readonly trend?: readonly number[];
}

export interface ImportanceRows {
  /** Names of the further columns. */
  readonly heads: readonly string[];
  readonly rows: readonly ImportanceRow[];
}

export function rowsOfWeights(
  weights: readonly number[],
  heads: readonly string[] = [],
  cells?: (layer: number) => string[],
): ImportanceRows {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const most = Math.max(...weights);
  return {
    heads,
    rows: weights.map((weight, layer) => ({
      layer,
      weight: weight / sum,
      share: most > 0 ? weight / most : 0,
      cells: cells?.(layer) ?? [],
    })),
  };
}

/** With the mean norms that a probe measured. */
export function rowsOfProfile({ norms, weights }: ImportanceProfile): ImportanceRows {
  if (!norms) return rowsOfWeights(weights);
  const { lora, weights: below } = meanNorms(norms);
  return rowsOfWeights(weights, ['‖BA‖', norms.full ? '‖W‖' : '‖W₀‖'], (layer) => [short(lora[layer]), short(below[layer])]);
}

/**
 * Importance in a run: how often each layer was drawn until now and how often that was to be expected; and p through the periods, where the
 * run measures it.
 */
export function rowsOfRun(
  { expected, weights }: Pick<ImportanceReport, 'expected' | 'weights'>,
  periods: readonly { readonly layers: readonly number[] }[],
  history: readonly PeriodWeights[],
): ImportanceRows {
  const drawn = weights.map(() => 0);
  for (const { layers } of periods) for (const layer of layers) drawn[layer]++;
  if (history.length === 0)
    return rowsOfWeights(weights, ['drawn', 'expected'], (layer) => [String(drawn[layer]), (expected[layer] * periods.length).toFixed(1)]);
  const now = history[history.length - 1].weights;
  const most = Math.max(...history.flatMap((entry) => entry.weights));
  const { heads, rows } = rowsOfWeights(now, ['drawn'], (layer) => [String(drawn[layer])]);
  return { heads, rows: rows.map((row) => ({ ...row, trend: history.map((entry) => entry.weights[row.layer] / most) })) };
}

/** Three digits. */
const short = (value: number): string => (value >= 0.01 && value < 10_000 ? String(Number(value.toPrecision(3))) : value.toExponential(1));

/** For those who do not see the bars: which layers stand out. */
export function importanceSentence({ rows }: ImportanceRows): string {
  const order = [...rows].sort((a, b) => b.weight - a.weight);
  const [most, least] = [order[0], order[order.length - 1]];
  if (most.weight === least.weight) return 'All layers have the same weight.';
  return `Layer ${most.layer} has the largest weight, ${most.weight.toFixed(3)}; layer ${least.layer} the smallest, ${least.weight.toFixed(3)}.`;
}
