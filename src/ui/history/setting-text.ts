// A setting's value as a person reads it, exact enough that two different ones never look the same; and what differs
// between two runs' settings. Pure.

import { configDiff, type ConfigKey, type RunConfig } from '../../config/run-config';
import { formatCount } from '../format';
import { LABELS, METHOD_NAMES } from '../labels';

const MOST_TEXT = 40;
const short = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);

/** 0.0005, 1e-8, 1,000. */
const numberText = (value: number): string => (Number.isInteger(value) && Math.abs(value) < 1e9 ? formatCount(value) : String(value));

export function settingText(key: ConfigKey, config: RunConfig): string {
  switch (key) {
    case 'method':
      return METHOD_NAMES[config.method];
    case 'seed':
      return String(config.seed);
    case 'lisaTrain': {
      const on = Object.entries(config.lisaTrain).flatMap(([name, trained]) => (trained ? [name] : []));
      return on.join(', ') || 'none';
    }
    case 'lisaWeights':
      return config.lisaWeights ? config.lisaWeights.map(numberText).join(' ') : 'equal';
    case 'prompts':
      return config.prompts.map((prompt) => `“${short(prompt)}”`).join(' ') || 'from the data';
    case 'columns':
      return (
        Object.entries(config.columns ?? {})
          .map(([role, column]) => `${role} = ${column}`)
          .join(', ') || 'as they are'
      );
    default: {
      const value = config[key];
      if (typeof value === 'number') return numberText(value);
      if (typeof value === 'boolean') return value ? 'on' : 'off';
      return value ?? 'none';
    }
  }
}

export interface SettingChange {
  readonly key: ConfigKey;
  readonly label: string;
  readonly from: string;
  readonly to: string;
}

/** Settings that only one method looks at. */
const ONLY: Readonly<Partial<Record<ConfigKey, RunConfig['method']>>> = {
  lisaLayers: 'lisa',
  lisaPeriod: 'lisa',
  lisaSampler: 'lisa',
  lisaWeights: 'lisa',
  lisaTrain: 'lisa',
  lisaState: 'lisa',
  lisaRewarm: 'lisa',
  loraRank: 'lora',
  loraAlpha: 'lora',
};

const isUsed = (key: ConfigKey, { method }: RunConfig): boolean => ONLY[key] === undefined || ONLY[key] === method;

/** What was set otherwise than in the run before; a setting that neither run looks at is left out. */
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
