// How much of the machine's power a run may use: half speed, and a pause before the battery is empty. Only Chromium
// reports batteries.

import { create } from 'zustand';
import type { Phase } from '../../train/events';
import { send } from '../link';
import { usePreferences } from '../preferences';
import { isActive, useRunStore } from './run';
import { ask } from './actions';

/** The battery level at which a run is paused, as a share. */
export const LEAST_BATTERY = 0.2;

export interface Battery extends Pick<EventTarget, 'addEventListener'> {
  readonly charging: boolean;
  /** 0 to 1. */
  readonly level: number;
}

export interface PowerState {
  /** Null if the browser does not report it, or there is no battery. */
  readonly battery: Battery | null;
  /** Level at which this run was paused; null if it was not paused, or has continued. */
  readonly pausedAt: number | null;
  /** The run was paused since the battery was last charged; a person who resumed anyway is left alone. */
  readonly spoken: boolean;
}

const NOT_PAUSED = { pausedAt: null, spoken: false };
export const usePower = create<PowerState>(() => ({ battery: null, ...NOT_PAUSED }));

const isLow = ({ charging, level }: Battery): boolean => !charging && level < LEAST_BATTERY;

/** Pauses a training run on a low battery, but only once until the battery has been charged. */
export function checkBattery(): void {
  const { battery, spoken } = usePower.getState();
  const { run } = useRunStore.getState();
  if (!battery) return;
  if (!isLow(battery)) return usePower.setState(NOT_PAUSED);
  if (!usePreferences.getState().batteryPause || spoken || !run || !isActive(run) || run.phase !== 'training') return;
  usePower.setState({ pausedAt: battery.level, spoken: true });
  ask('pause');
}

/** Exported for the test. When a run continues or ends, it is no longer paused because of the battery. */
export function followPhase(before: Phase | undefined): void {
  if (before === 'paused') usePower.setState({ pausedAt: null });
  checkBattery();
}

/** Tells the worker; a fresh one does not know it. */
export const tellPace = (): void => send({ type: 'pace', rest: usePreferences.getState().gentle ? 1 : 0 });

/** Follows the preferences, the battery and the run's phase. Returns the function that ends it. */
export function watchPower(found: Promise<Battery> | undefined = batteryOf(navigator)): () => void {
  const ends = [
    usePreferences.subscribe(({ gentle }, before) => gentle !== before.gentle && tellPace()),
    useRunStore.subscribe(({ run }, before) => run?.phase !== before.run?.phase && followPhase(before.run?.phase)),
  ];
  found?.then(
    (battery) => {
      usePower.setState({ battery });
      for (const change of ['levelchange', 'chargingchange']) battery.addEventListener(change, checkBattery);
    },
    () => undefined, // the browser refuses: as if there were no battery
  );
  return () => ends.forEach((end) => end());
}

/** Not in the DOM's types, because not all browsers have it. */
const batteryOf = (from: Navigator & { getBattery?: () => Promise<Battery> }): Promise<Battery> | undefined => from.getBattery?.();
