// Which settings have a "why". Apart from the texts themselves, which are loaded when the first of them is opened.

import type { ConfigKey } from '../config/run-config';

const WITHOUT = [
  'method',
  'model',
  'data',
  'evalData',
  'lisaEmbedding',
  'lisaHead',
  'lisaNorm',
  'lisaProfile',
  'prompts',
  'sampleTokens',
] as const satisfies readonly ConfigKey[];

export type ExplainedKey = Exclude<ConfigKey, (typeof WITHOUT)[number]>;

export const hasWhy = (key: ConfigKey): key is ExplainedKey => !(WITHOUT as readonly ConfigKey[]).includes(key);
