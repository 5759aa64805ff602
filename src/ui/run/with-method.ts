// The settings of a run with another method. Pure.

import { CONFIG_KEYS, defaultsFor, type Method, type RunConfig } from '../../config/run-config';

/** What follows the method (the learning rate, for one) follows the new one, unless the person had set it. */
export function withMethod(config: RunConfig, method: Method): RunConfig {
  const [before, after] = [defaultsFor(config), defaultsFor({ method, steps: config.steps })];
  const following = CONFIG_KEYS.filter((key) => JSON.stringify(config[key]) === JSON.stringify(before[key]));
  const moved = Object.fromEntries(following.map((key) => [key, after[key]]));
  return { ...config, ...(moved as Partial<RunConfig>), method };
}
