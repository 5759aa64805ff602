// What the model writes before, during and after training.

import { bad, good, row, type OwnKind } from '../field';
import { choice, MAX_TEXT, readJson, real, text, whole } from '../kinds';

const MAX_PROMPTS = 64;

/** A list of texts; the option is given once for each. */
const promptList: OwnKind<readonly string[]> = {
  type: 'own',
  placeholder: 'text',
  repeatable: true,
  check: (value) => {
    const list: readonly unknown[] | null = Array.isArray(value) ? value : null;
    return list && list.length <= MAX_PROMPTS && list.every((prompt): prompt is string => text('prompt').check(prompt).ok)
      ? good(list)
      : bad(`at most ${MAX_PROMPTS} texts of at most ${MAX_TEXT} characters`);
  },
  parse: good,
  toFlag: (prompts) => prompts,
  toLink: (prompts) => JSON.stringify(prompts),
  fromLink: readJson,
};

export const SAMPLING = {
  /** What is sampled; none: prompts from the held-out rows. */
  prompts: row(promptList, {
    default: [],
    flag: 'prompt',
    help: 'what to sample (repeatable): a user message, or text to continue',
    longestInLink: 600,
  }),
  temperature: row(real(0, 10), { default: 0, flag: 'temperature', help: 'temperature of samples; 0: greedy' }),
  /** Samples before and after only, or at steps 10, 20, 40, 80 … in between too. */
  sampleAt: row(choice('log', 'ends'), {
    default: 'log',
    flag: 'sample-at',
    help: 'sample only before and after (ends), or also after steps 10, 20, 40, 80 … (log)',
  }),
  /** Tokens to sample, at most. */
  sampleTokens: row(whole(1, 65_536), { default: 64, flag: 'sample-tokens', help: 'tokens per sample, at most' }),
};
