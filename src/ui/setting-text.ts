// The value of a setting in words, for lists of settings. Pure.

import { SOURCE_WORDS } from '../config/importance';
import type { Policy } from '../config/policies';
import type { ConfigKey, RunConfig } from '../config/run-config';
import { formatCount, formatRate, plural } from './format';
import { METHOD_NAMES, POLICY_NAMES } from './labels';

/** Texts of the settings whose values are not words, numbers or switches, or are called something else on the page. */
export type OwnTexts = { readonly [K in ConfigKey]?: (value: RunConfig[K]) => string };

const TEXTS: OwnTexts = {
  method: (method) => METHOD_NAMES[method],
  alwaysOn: (parts) => namesOf(parts).join(', ') || 'none',
  lisaEmbedding: policyText,
  lisaHead: policyText,
  lisaNorm: policyText,
  lisaWeights: (weights) => (weights ? `of ${plural(weights.length, 'layer')}` : 'all equal'),
  lisaProfile: (profile) => (profile ? `${SOURCE_WORDS[profile.source]}` : 'none'),
  columns: (columns) => (columns ? Object.keys(columns).join(', ') : 'as they are'),
  prompts: (prompts) => (prompts.length > 0 ? formatCount(prompts.length) : 'one from the data'),
};

function policyText(policy: Policy | null): string {
  return policy === null ? 'as “always on” says' : POLICY_NAMES[policy].toLowerCase();
}

const namesOf = (parts: RunConfig['alwaysOn']): string[] => Object.entries(parts).flatMap(([name, trained]) => (trained ? [name] : []));

const numberText = (value: number): string => (Number.isInteger(value) ? formatCount(value) : formatRate(value));

/** `texts` and `numbers`: what a list shows in a way of its own. */
export function settingText<K extends ConfigKey>(
  key: K,
  config: RunConfig,
  texts: OwnTexts = {},
  numbers: (value: number) => string = numberText,
): string {
  const value: RunConfig[K] = config[key];
  const own: ((value: RunConfig[K]) => string) | undefined = texts[key] ?? TEXTS[key];
  if (own) return own(value);
  if (typeof value === 'number') return numbers(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value === null ? 'none' : String(value);
}
