// What a person wants of the machine's power while a run trains: half pace, and a pause before the battery is empty. Batteries
// are told of by Chromium only.

import { create } from 'zustand';
import type { Phase } from '../../train/events';
import { send } from '../link';
import { usePreferences } from '../preferences';
import { isActive, useRunStore } from './run';
import { ask } from './actions';

/** The battery at which a run is paused, as a share. */
export const LEAST_BATTERY = 0.2;

export interface Battery extends Pick<EventTarget, 'addEventListener'> {
  readonly charging: boolean;
  /** 0 to 1. */
  readonly level: number;
}

export interface PowerState {
  /** Null where the browser does not tell, or there is none. */
  readonly battery: Battery | null;
  /** Level at which this run was paused; null where it was not, or has gone on. */
  readonly pausedAt: number | null;
  /** It was paused since the battery was last charged: who went on all the same is left alone. */
  readonly spoken: boolean;
}

const NOT_PAUSED = { pausedAt: null, spoken: false };
export const usePower = create<PowerState>(() => ({ battery: null, ...NOT_PAUSED }));

const isLow = ({ charging, level }: Battery): boolean => !charging && level < LEAST_BATTERY;

/** Pauses a run that trains on a low battery, once until the battery has been charged or the person has gone on. */
export function checkBattery(): void {
  const { battery, spoken } = usePower.getState();
  const { run } = useRunStore.getState();
  if (!battery) return;
  if (!isLow(battery)) return usePower.setState(NOT_PAUSED);
  if (!usePreferences.getState().batteryPause || spoken || !run || !isActive(run) || run.phase !== 'training') return;
  usePower.setState({ pausedAt: battery.level, spoken: true });
  ask('pause');
}

/** Exported for the test. A run that goes on, or ends, is paused for nobody's sake any more. */
export function followPhase(before: Phase | undefined): void {
  if (before === 'paused') usePower.setState({ pausedAt: null });
  checkBattery();
}

/** To the worker; a fresh one does not know it. */
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
    () => undefined, // the browser says no: as if there were none
  );
  return () => ends.forEach((end) => end());
}

/** Not in the DOM's types: it is no standard of all browsers. */
const batteryOf = (from: Navigator & { getBattery?: () => Promise<Battery> }): Promise<Battery> | undefined => from.getBattery?.();
