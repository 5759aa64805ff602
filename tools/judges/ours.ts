// What our engine computes for a model: log-probabilities after every token of a text, and its greedy continuation.

import { DEFAULTS } from '../../src/config/run-config';
import type { Gpu } from '../../src/gpu/device';
import type { ReadTensor } from '../../src/export/folder';
import type { ModelFiles } from '../../src/io/sources/model-files';
import { inferenceInput, planInput } from '../../src/plan/input';
import { Engine } from '../../src/engine/engine';

export interface Answer {
  /** After each token of the text, over the vocabulary. */
  readonly logProbs: readonly Float64Array<ArrayBuffer>[];
  /** The tokens that follow, each the likeliest. */
  readonly greedy: readonly number[];
  /** What each of them was chosen from. */
  readonly choices: readonly Float64Array<ArrayBuffer>[];
}

/** In float64, from logits. */
export function logSoftmax(logits: ArrayLike<number>): Float64Array<ArrayBuffer> {
  let most = -Infinity;
  for (let i = 0; i < logits.length; i++) most = Math.max(most, logits[i]);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - most);
  return Float64Array.from(logits, (logit) => logit - most - Math.log(sum));
}

const likeliest = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
};

/** `logits` of one more token at a position; the text, then `more` tokens greedily. */
export async function answer(
  ids: readonly number[],
  more: number,
  logits: (id: number, past: number) => Promise<ArrayLike<number>>,
): Promise<Answer> {
  const logProbs: Float64Array<ArrayBuffer>[] = [];
  for (const [past, id] of ids.entries()) logProbs.push(logSoftmax(await logits(id, past)));
  const greedy: number[] = [];
  const choices = [logProbs[ids.length - 1]];
  for (;;) {
    const id = likeliest(choices[greedy.length]);
    greedy.push(id);
    if (greedy.length === more) return { logProbs, greedy, choices };
    choices.push(logSoftmax(await logits(id, ids.length + greedy.length - 1)));
  }
}

/** Weights come from `tensor`; the files may hold others. */
export async function ourAnswer(gpu: Gpu, files: ModelFiles, tensor: ReadTensor, ids: readonly number[], more: number): Promise<Answer> {
  const config = { ...DEFAULTS, method: 'full' as const, seqLen: ids.length, batchSize: 1, sampleTokens: more };
  const engine = await Engine.create(gpu, inferenceInput(planInput(files.shape, config)));
  try {
    for (const row of files.table) await engine.writeTensor(row, await tensor(row));
    return await answer(ids, more, (id, past) => engine.logits([id], past));
  } finally {
    engine.close();
  }
}
