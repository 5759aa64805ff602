// Sampling from the model: prefill in pieces that fit the plan, then token by token over the K/V cache.

import { AppError } from '../base/errors';
import type { RandomStream } from '../base/random';
import { promptRows } from '../plan/prompt-rows';
import type { Engine } from './engine';

export interface SamplingOptions {
  readonly maxTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  /** 0: all tokens. */
  readonly topK?: number;
  /** 1: all tokens. */
  readonly topP?: number;
  readonly stopIds: ReadonlySet<number>;
  readonly random?: RandomStream;
  readonly onToken?: (id: number) => void;
  readonly cancelled?: () => boolean;
  /** Awaited before every pass through the model; ends the text by throwing. */
  readonly check?: () => Promise<void>;
}

/**
 * How many tokens of a prompt are kept. The prompt gets at least half of the cache, so a model with few positions gives a short answer
 * instead of ignoring the prompt.
 */
export const promptRoom = (cacheTokens: number, maxTokens: number): number => Math.max(Math.ceil(cacheTokens / 2), cacheTokens - maxTokens);

/** The tokens that follow `prompt`, without the stop token. A prompt that is longer than promptRoom loses its beginning. */
export async function generate(engine: Engine, prompt: readonly number[], options: SamplingOptions): Promise<number[]> {
  const { cacheTokens } = engine.plan.input;
  const piece = promptRows(engine.plan.input);
  const ids = prompt.slice(-promptRoom(cacheTokens, options.maxTokens));
  if (ids.length === 0) throw new AppError('CONFIG_INVALID', 'The prompt is empty.', 'Give at least one character.');
  let logits = new Float32Array(0);
  for (let past = 0; past < ids.length; past += piece) {
    await options.check?.();
    logits = await engine.logits(ids.slice(past, past + piece), past);
  }
  const made: number[] = [];
  while (made.length < options.maxTokens && !options.cancelled?.()) {
    const id = sampleToken(logits, options);
    if (options.stopIds.has(id)) break;
    made.push(id);
    options.onToken?.(id);
    const past = ids.length + made.length - 1;
    if (made.length === options.maxTokens || past >= cacheTokens) break;
    await options.check?.();
    logits = await engine.logits([id], past);
  }
  return made;
}

/** Greedy at temperature 0; else temperature, then top-k, then the smallest set of probability top-p. */
export function sampleToken(logits: Float32Array, options: Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'random'>): number {
  const { temperature, topK = 0, topP = 1, random } = options;
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  if (!Number.isFinite(logits[best]))
    throw new AppError('NONFINITE_LOSS', 'The model gives no finite scores.', 'Lower the learning rate and train again.');
  if (temperature === 0 || !random) return best;
  let order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK > 0) order = order.slice(0, topK);
  const weights = order.map((id) => Math.exp((logits[id] - logits[best]) / temperature));
  let total = weights.reduce((sum, w) => sum + w, 0);
  let count = order.length;
  if (topP < 1) {
    let sum = 0;
    for (count = 0; count < order.length && sum < topP * total; count++) sum += weights[count];
    total = sum;
  }
  let point = random.nextFloat() * total;
  for (let i = 0; i < count; i++) {
    point -= weights[i];
    if (point < 0) return order[i];
  }
  return order[count - 1];
}
