// The value of a setting in words, for lists of settings. Pure.

import type { ConfigKey, RunConfig } from '../config/run-config';
import { formatCount, formatRate, plural } from './format';
import { METHOD_NAMES } from './labels';

export function settingText(key: ConfigKey, config: RunConfig): string {
  switch (key) {
    case 'method':
      return METHOD_NAMES[config.method];
    case 'lisaTrain': {
      const on = Object.entries(config.lisaTrain).flatMap(([name, trained]) => (trained ? [name] : []));
      return on.length > 0 ? on.join(', ') : 'none';
    }
    case 'lisaWeights':
      return config.lisaWeights ? `of ${plural(config.lisaWeights.length, 'layer')}` : 'all equal';
    case 'columns':
      return config.columns ? Object.keys(config.columns).join(', ') : 'as they are';
    case 'prompts':
      return config.prompts.length > 0 ? formatCount(config.prompts.length) : 'one from the data';
    default: {
      const value = config[key];
      if (typeof value === 'number') return Number.isInteger(value) ? formatCount(value) : formatRate(value);
      if (typeof value === 'boolean') return value ? 'on' : 'off';
      return value ?? 'none';
    }
  }
}
