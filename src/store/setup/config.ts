// The settings form: the configuration of the next run. A run that has started keeps its own copy (run.ts).

import { create } from 'zustand';
import { CONFIG_KEYS, DEFAULTS, defaultsFor, fieldOf, type ConfigKey, type Method, type RunConfig } from '../../config/run-config';

export interface ConfigState {
  readonly config: RunConfig;
  /** Options that the person has set; the others may follow a related one. */
  readonly touched: ReadonlySet<ConfigKey>;
}

export const useConfigStore = create<ConfigState>(() => ({ config: DEFAULTS, touched: new Set() }));

/** The state after a person sets options: untouched ones may follow the method and the steps. */
export function applyPatch(state: ConfigState, patch: Partial<RunConfig>): ConfigState {
  const touched = new Set([...state.touched, ...(Object.keys(patch) as ConfigKey[])]);
  const config: RunConfig = { ...state.config, ...patch };
  if (patch.method === undefined && patch.steps === undefined) return { config, touched };
  const following = CONFIG_KEYS.filter((key) => !touched.has(key)).map((key) => [key, fieldOf(key).follows?.(config) ?? config[key]]);
  return { config: { ...config, ...(Object.fromEntries(following) as Partial<RunConfig>) }, touched };
}

export const setConfig = (patch: Partial<RunConfig>): void => useConfigStore.setState((state) => applyPatch(state, patch));

export const setMethod = (method: Method): void => setConfig({ method });

/** The default of one option, as if nobody had touched it: it follows the others again. */
export function resetKey(state: ConfigState, key: ConfigKey): ConfigState {
  const touched = new Set([...state.touched].filter((other) => other !== key));
  const usual = defaultsFor({ ...state.config, [key]: DEFAULTS[key] });
  const { config } = applyPatch({ config: state.config, touched }, { [key]: usual[key] });
  return { config, touched };
}

export const resetSetting = (key: ConfigKey): void => useConfigStore.setState((state) => resetKey(state, key));

/** What is chosen rather than set: it stays when settings are replaced. */
const chosen = (config: RunConfig): Partial<RunConfig> =>
  Object.fromEntries(CONFIG_KEYS.filter((key) => fieldOf(key).scope === 'source').map((key) => [key, config[key]]));

/** Settings from a link or a file, where `given` are set; the columns of the chosen file stay unless they are given too. */
export function adoptConfig(config: RunConfig, given: readonly ConfigKey[]): void {
  useConfigStore.setState(({ config: before }) => {
    const columns = given.includes('columns') ? config.columns : before.columns;
    return { config: { ...config, ...chosen(before), columns }, touched: new Set(given) };
  });
}

export const resetConfig = (): void =>
  useConfigStore.setState(({ config }) => ({ config: { ...DEFAULTS, ...chosen(config) }, touched: new Set() }));
