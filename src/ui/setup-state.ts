// Summary of the set-up: the chosen model's shape, the faults of the settings, their memory forecast, and the text of the start
// button. Components and actions use the same function.

import { useMemo } from 'react';
import { configFaults, type ConfigFault, type RunConfig } from '../config/run-config';
import type { ModelShape } from '../model/types';
import { limitFault, type LimitFault } from '../plan/forecast-limits';
import { useBudgetStore, verdictOf, type Verdict } from '../store/setup/budget';
import { useConfigStore } from '../store/setup/config';
import { isUnderWay, useHubStore, type HubState } from '../store/setup/hub';
import { useDeviceStore, type DeviceState } from '../store/run/device';
import { dataStanding, distinctTokens, useInspectStore } from '../store/setup/inspect';
import { useSourcesStore, type SourcesState } from '../store/setup/sources';
import { startState, type Findings, type StartState } from './cta';
import { BUILTIN } from './known-models';
import type { PlannedModel } from './preview/forecast-key';
import type { Forecaster, ForecastResult } from './preview/forecaster';
import { useForecaster } from './preview/forecasts';

export interface Setup {
  readonly config: RunConfig;
  readonly sources: SourcesState;
  /** Null until a model is chosen and its config.json read. */
  readonly shape: ModelShape | null;
  /** The same, with the types of its weights. */
  readonly model: PlannedModel | null;
  readonly faults: readonly ConfigFault[];
  /** Memory of the chosen method; null until the forecaster is loaded and the settings can run. */
  readonly memory: ForecastResult | null;
  readonly limit: LimitFault | null;
  readonly verdict: Verdict | null;
  readonly start: StartState;
}

/** What the page knows besides the settings themselves. */
export interface Known {
  readonly budget: number | null;
  readonly forecaster: Forecaster | null;
  readonly data: Findings['data'];
  /** How many tokens of the vocabulary the data uses. */
  readonly dataTokens?: number;
  readonly downloading?: boolean;
}

const NOTHING_KNOWN: Known = { budget: null, forecaster: null, data: 'unknown' };

export function setupOf(config: RunConfig, sources: SourcesState, device: DeviceState, known: Known = NOTHING_KNOWN): Setup {
  const { budget, forecaster, data, dataTokens, downloading } = known;
  const found = modelOf(sources);
  const model = found && dataTokens !== undefined ? { ...found, dataTokens } : found;
  const shape = model?.shape ?? null;
  const faults = configFaults(config, shape ?? undefined);
  const memory = forecaster && model && faults.length === 0 ? forecaster.memory(model, config) : null;
  const forecast = memory?.forecast ?? null;
  const limit = forecast && device.status === 'ready' ? limitFault(forecast, device.limits) : null;
  const verdict = forecast && budget !== null ? verdictOf(forecast.total, budget) : null;
  const start = startState(config.method, device, sources, faults, { limit, verdict, data, downloading });
  return { config, sources, shape, model, faults, memory, limit, verdict, start };
}

/** Known before any weights are read: for a folder from its headers, for a hub model from the look-up. */
function modelOf({ modelKind, local, hub }: SourcesState): PlannedModel | null {
  if (modelKind === 'builtin') return BUILTIN;
  if (modelKind === 'local') return local?.facts ?? null;
  return hub.status === 'known' ? hub.preflight : null;
}

const downloadUnderWay = ({ download }: HubState): boolean => download !== null && isUnderWay(download);

export const currentSetup = (): Setup =>
  setupOf(useConfigStore.getState().config, useSourcesStore.getState(), useDeviceStore.getState().device, {
    budget: useBudgetStore.getState().budget,
    forecaster: useForecaster.getState().forecaster,
    data: dataStanding(useInspectStore.getState()),
    dataTokens: distinctTokens(useInspectStore.getState()),
    downloading: downloadUnderWay(useHubStore.getState()),
  });

export function useSetup(): Setup {
  const config = useConfigStore((state) => state.config);
  const sources = useSourcesStore();
  const device = useDeviceStore((state) => state.device);
  const budget = useBudgetStore((state) => state.budget);
  const forecaster = useForecaster((state) => state.forecaster);
  const data = useInspectStore(dataStanding);
  const dataTokens = useInspectStore(distinctTokens);
  const downloading = useHubStore(downloadUnderWay);
  return useMemo(
    () => setupOf(config, sources, device, { budget, forecaster, data, dataTokens, downloading }),
    [config, sources, device, budget, forecaster, data, dataTokens, downloading],
  );
}
