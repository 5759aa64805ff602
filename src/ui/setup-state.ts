// What the set-up amounts to: the chosen model's shape, the faults of the settings, and what the start button
// says. One function for components and actions alike.

import { useMemo } from 'react';
import { configFaults, type ConfigFault, type RunConfig } from '../config';
import type { ModelShape } from '../model/types';
import { useConfigStore } from '../store/config';
import { useDeviceStore, type DeviceState } from '../store/device';
import { useSourcesStore, type SourcesState } from '../store/sources';
import { startState, type StartState } from './cta';
import { BUILTIN } from './known-models';

export interface Setup {
  readonly config: RunConfig;
  readonly sources: SourcesState;
  /** Null until a model is chosen and its config.json read. */
  readonly shape: ModelShape | null;
  readonly faults: readonly ConfigFault[];
  readonly start: StartState;
}

export function setupOf(config: RunConfig, sources: SourcesState, device: DeviceState): Setup {
  const shape = sources.modelKind === 'builtin' ? BUILTIN.shape : (sources.local?.shape ?? null);
  const faults = configFaults(config, shape ?? undefined);
  return { config, sources, shape, faults, start: startState(config.method, device, sources, faults) };
}

export const currentSetup = (): Setup =>
  setupOf(useConfigStore.getState().config, useSourcesStore.getState(), useDeviceStore.getState().device);

export function useSetup(): Setup {
  const config = useConfigStore((state) => state.config);
  const sources = useSourcesStore();
  const device = useDeviceStore((state) => state.device);
  return useMemo(() => setupOf(config, sources, device), [config, sources, device]);
}
