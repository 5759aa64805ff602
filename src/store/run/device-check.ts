// The last check of the device, and the one that runs.

import { create } from 'zustand';
import type { ErrorInfo } from '../../base/errors';
import type { DeviceReport } from '../../train/device-report';
import type { Event } from '../../worker/protocol';
import { send } from '../link';

export interface DeviceCheckStore {
  /** Of the check that runs: 0 to 1, and what it checks. */
  readonly progress: { readonly fraction: number; readonly what: string } | null;
  readonly report: DeviceReport | null;
  readonly error: ErrorInfo | null;
}

const NOTHING: DeviceCheckStore = { progress: null, report: null, error: null };

export const useDeviceCheck = create<DeviceCheckStore>(() => NOTHING);

export function checkDevice(): void {
  useDeviceCheck.setState({ ...NOTHING, progress: { fraction: 0, what: 'starting' } });
  send({ type: 'checkDevice', runtime: navigator.userAgent });
}

export const cancelDeviceCheck = (): void => send({ type: 'cancelDeviceCheck' });

/** The worker's answers. */
export function takeDeviceCheck(event: Extract<Event, { type: 'checkingDevice' | 'deviceChecked' | 'deviceCheckFailed' }>): void {
  switch (event.type) {
    case 'checkingDevice':
      return useDeviceCheck.setState({ progress: { fraction: event.fraction, what: event.what } });
    case 'deviceChecked':
      return useDeviceCheck.setState({ ...NOTHING, report: event.report });
    case 'deviceCheckFailed':
      return useDeviceCheck.setState({ ...NOTHING, error: event.error });
  }
}
