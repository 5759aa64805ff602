// The settings form: the configuration of the next run. A run that has started keeps its own copy (run.ts).

import { create } from 'zustand';
import { DEFAULTS, defaultWarmup, METHOD_LR, type ConfigKey, type Method, type RunConfig } from '../config';

export interface ConfigState {
  readonly config: RunConfig;
  /** Options that the person has set; the others may follow a related one. */
  readonly touched: ReadonlySet<ConfigKey>;
}

export const useConfigStore = create<ConfigState>(() => ({ config: DEFAULTS, touched: new Set() }));

/** The state after a person sets options: untouched ones follow (learning rate the method, warm-up the steps). */
export function applyPatch(state: ConfigState, patch: Partial<RunConfig>): ConfigState {
  const touched = new Set([...state.touched, ...(Object.keys(patch) as ConfigKey[])]);
  let config: RunConfig = { ...state.config, ...patch };
  if (patch.method !== undefined && !touched.has('lr')) config = { ...config, lr: METHOD_LR[patch.method] };
  if (patch.steps !== undefined && Number.isFinite(patch.steps) && !touched.has('warmup')) {
    config = { ...config, warmup: defaultWarmup(patch.steps) };
  }
  return { config, touched };
}

export const setConfig = (patch: Partial<RunConfig>): void => useConfigStore.setState((state) => applyPatch(state, patch));

export const setMethod = (method: Method): void => setConfig({ method });

export const resetConfig = (): void => useConfigStore.setState({ config: DEFAULTS, touched: new Set() });
