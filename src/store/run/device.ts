// The GPU as the worker described it, or why there is none; and a checkpoint that can be resumed from.

import { create } from 'zustand';
import type { RunConfig } from '../../config/run-config';
import type { ErrorInfo } from '../../base/errors';
import type { HubModel } from '../../io/hub/types';
import type { DeviceDescription, DeviceLimits } from '../../dispatch/limits';
import type { Event } from '../../worker/protocol';

export type DeviceState =
  | { readonly status: 'opening' }
  | {
      readonly status: 'ready';
      readonly device: DeviceDescription;
      readonly limits: DeviceLimits;
      readonly features: readonly string[];
    }
  | { readonly status: 'unavailable'; readonly error: ErrorInfo };

export interface Resumable {
  readonly runId: string;
  readonly step: number;
  readonly steps: number;
  readonly config: RunConfig;
  /** The local folder that must be chosen again; null where everything is there. */
  readonly needsModel: string | null;
  /** The model of a hub that must be downloaded again; null where everything is there. */
  readonly needsDownload: HubModel | null;
}

export interface DeviceStore {
  readonly device: DeviceState;
  readonly resumable: Resumable | null;
  /** Measured once after opening; null until then. */
  readonly flopsPerSecond: number | null;
}

export const useDeviceStore = create<DeviceStore>(() => ({
  device: { status: 'opening' },
  resumable: null,
  flopsPerSecond: null,
}));

export const setDevice = (device: DeviceState): void => useDeviceStore.setState({ device });
export const setResumable = (resumable: Resumable | null): void => useDeviceStore.setState({ resumable });

// The worker's answers.

export const takeDevice = ({ device, limits, features }: Extract<Event, { type: 'opened' }>): void =>
  setDevice({ status: 'ready', device, limits, features });

export const takeProbe = ({ flopsPerSecond }: Extract<Event, { type: 'speed' }>): void => useDeviceStore.setState({ flopsPerSecond });

export const takeResumable = ({ type: _, ...resumable }: Extract<Event, { type: 'resumable' }>): void => setResumable(resumable);
