// The GPU as the worker described it, or why there is none; and a checkpoint that can be gone on from.

import { create } from 'zustand';
import type { RunConfig } from '../config';
import type { ErrorInfo } from '../errors';
import type { DeviceDescription } from '../gpu/device';

export type DeviceState =
  | { readonly status: 'opening' }
  | { readonly status: 'ready'; readonly device: DeviceDescription }
  | { readonly status: 'unavailable'; readonly error: ErrorInfo };

export interface Resumable {
  readonly step: number;
  readonly steps: number;
  readonly config: RunConfig;
}

export interface DeviceStore {
  readonly device: DeviceState;
  readonly resumable: Resumable | null;
}

export const useDeviceStore = create<DeviceStore>(() => ({ device: { status: 'opening' }, resumable: null }));

export const setDevice = (device: DeviceState): void => useDeviceStore.setState({ device });
export const setResumable = (resumable: Resumable | null): void => useDeviceStore.setState({ resumable });
