// The settings of a run for another method, to compare with. Pure.

import type { Method, RunConfig } from './run-config';

/** A run of another method may hold settings of LISA that were made for another model, and are not checked. `layers`: of the model. */
export const asMethod = (config: RunConfig, method: Method, layers: number): RunConfig => {
  if (config.method === method) return config;
  if (method !== 'lisa') return { ...config, method };
  const lisaLayers = Math.min(config.lisaLayers, layers);
  return { ...config, method, lisaLayers, lisaSampler: 'uniform', lisaWeights: null, lisaProfile: null, lisaAdapt: 'off' };
};
