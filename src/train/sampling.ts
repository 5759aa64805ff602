// What the model writes after each of the run's prompts, and after which steps it is asked to.

import { randomStream } from '../base/random';
import type { Engine } from '../engine/engine';
import { generate, promptRoom } from '../engine/generate';
import type { RunInputs } from './prepare';
import type { Sample } from './events';

/** 10, 20, 40, 80 …: about the pace at which a model's texts change. */
export function isSampleStep(step: number): boolean {
  const doublings = Math.log2(step / 10);
  return doublings >= 0 && Number.isInteger(doublings);
}

/** Texts that follow the prompts, one at a time. The same weights give the same texts. `check` is awaited before every token; if it throws, they end. */
export async function* completions(
  engine: Engine,
  { config, dataset, prompts, tokenizer }: RunInputs,
  check: () => Promise<void>,
): AsyncGenerator<Pick<Sample, 'prompt' | 'text' | 'leftOut'>> {
  const room = promptRoom(engine.plan.input.cacheTokens, config.sampleTokens);
  for (const [index, prompt] of prompts.entries()) {
    const made = await generate(engine, prompt.ids, {
      maxTokens: config.sampleTokens,
      temperature: config.temperature,
      stopIds: new Set(dataset.summary.ending.stopIds),
      random: randomStream(config.seed, 'sample', index),
      check,
    });
    const leftOut = prompt.ids.length - room;
    yield { prompt: prompt.text, text: tokenizer.decode(made, { skipSpecial: true }), ...(leftOut > 0 && { leftOut }) };
  }
}
