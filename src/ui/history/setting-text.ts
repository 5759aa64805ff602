// A setting's value as a person reads it, exact enough that two different ones never look the same; and what differs
// between two runs' settings. Pure.

import { SOURCE_WORDS } from '../../config/importance';
import { appliesTo, configDiff, type ConfigKey, type RunConfig } from '../../config/run-config';
import { formatCount } from '../format';
import { LABELS } from '../labels';
import { settingText as shortText, type OwnTexts } from '../setting-text';

const MOST_TEXT = 40;
const short = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);

/** 0.0005, 1e-8, 1,000. */
const numberText = (value: number): string => (Number.isInteger(value) && Math.abs(value) < 1e9 ? formatCount(value) : String(value));

/** Where the short text would hide a difference. */
const EXACT: OwnTexts = {
  seed: String,
  lisaWeights: (weights) => (weights ? weights.map(numberText).join(' ') : 'equal'),
  lisaProfile: (profile) =>
    profile ? `${SOURCE_WORDS[profile.source]}, ${profile.steps} steps: ${profile.weights.map(numberText).join(' ')}` : 'none',
  prompts: (prompts) => prompts.map((prompt) => `“${short(prompt)}”`).join(' ') || 'from the data',
  columns: (columns) =>
    Object.entries(columns ?? {})
      .map(([role, column]) => `${role} = ${column}`)
      .join(', ') || 'as they are',
};

export const settingText = (key: ConfigKey, config: RunConfig): string => shortText(key, config, EXACT, numberText);

export interface SettingChange {
  readonly key: ConfigKey;
  readonly label: string;
  readonly from: string;
  readonly to: string;
}

const isUsed = (key: ConfigKey, { method }: RunConfig): boolean => appliesTo(key, method);

/** Settings whose values differ from the run before; a setting that neither run looks at is left out. */
export function settingChanges(before: RunConfig, now: RunConfig): SettingChange[] {
  return (Object.keys(configDiff(now, before)) as ConfigKey[])
    .filter((key) => isUsed(key, before) || isUsed(key, now))
    .map((key) => ({
      key,
      label: LABELS[key].label,
      from: isUsed(key, before) ? settingText(key, before) : '–',
      to: isUsed(key, now) ? settingText(key, now) : '–',
    }));
}
