// What to do about a loss that is not a number, by its likely cause. Before the first update it cannot be the learning rate.

import { METHOD_LR, type RunConfig } from '../config/run-config';
import { AppError } from '../base/errors';
import type { Engine } from '../engine/engine';
import type { ParameterRow } from '../model/types';
import { elementsOf } from '../model/types';
import { piecesOf } from '../io/formats/pieces';

export interface Largest {
  readonly name: string;
  /** Magnitude; infinite where a value is not a number. */
  readonly value: number;
}

/** The tensor with the largest value of a model. */
export async function largestWeight(engine: Engine, table: readonly ParameterRow[]): Promise<Largest> {
  let largest: Largest = { name: '', value: 0 };
  for (const row of table) {
    for (const [start, end] of piecesOf(elementsOf(row))) {
      const piece = await engine.readTensor(row, start, end);
      let most = 0;
      for (const weight of piece) most = Number.isNaN(weight) ? Infinity : Math.max(most, Math.abs(weight));
      if (most > largest.value) largest = { name: row.name, value: most };
    }
  }
  return largest;
}

/** Trained models stay below this by far; products of such weights leave f32's range within a few layers. */
const SUSPECT = 1e4;

const times = (ratio: number): string => (ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1));

/** The same failure with the advice that fits. `updates`: updates that were made; `largest`: of a model that none was made to. */
export function diverged(failure: AppError, config: RunConfig, updates: number, largest: Largest | null): AppError {
  const [more, remedy] = adviceOf(config, updates, largest);
  return new AppError(failure.code, [failure.detail, more].join(' ').trim(), remedy, { cause: failure });
}

function adviceOf({ lr, method, gradClip }: RunConfig, updates: number, largest: Largest | null): [string, string] {
  if (updates === 0) {
    return largest && largest.value >= SUSPECT
      ? [
          `Nothing was trained yet; ${largest.name} of the model holds values up to ${largest.value.toPrecision(2)}.`,
          'Use another copy of the model: these weights are damaged, or are not a trained model.',
        ]
      : [
          'Nothing was trained yet, so it is not the learning rate.',
          'Check that config.json belongs to these weights, and look at the first rows of the data.',
        ];
  }
  const ratio = lr / METHOD_LR[method];
  if (ratio >= 3)
    return [
      `The learning rate ${lr} is ${times(ratio)} times the usual one for this method.`,
      `Start again with about ${METHOD_LR[method]}: a resumed run keeps its rate and would fail again.`,
    ];
  if (gradClip === 0)
    return ['Gradients are not clipped.', 'Start again with gradients clipped at 1 (the default), or with a lower learning rate.'];
  return [
    'The learning rate is a usual one.',
    'Look at the data for rows that are not text, then start again with a lower rate (a third is a good start): a resumed run would fail again.',
  ];
}
