// What a person prefers of the page itself, whatever they train. Kept in local storage where the browser allows it.

import { create } from 'zustand';

export interface Preferences {
  /** Single keys do things. */
  readonly keys: boolean;
  /** The screen stays on while a run trains. */
  readonly wakeLock: boolean;
  /** Tell when a run has ended, where the browser may. */
  readonly notify: boolean;
  /** Half pace: a rest after each step, as long as the step. */
  readonly gentle: boolean;
  /** A run pauses before the battery is empty, where the browser tells of one. */
  readonly batteryPause: boolean;
  /** Of two graphics devices the one that needs less power. */
  readonly lowPower: boolean;
}

const DEFAULT_PREFERENCES: Preferences = {
  keys: true,
  wakeLock: true,
  notify: false,
  gentle: false,
  batteryPause: true,
  lowPower: false,
};
const KEY = 'lisa-studio.preferences';

/** Whatever lies in the storage, as preferences: only known switches, and only if they are switches. */
export function parsePreferences(text: string | null): Preferences {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? '');
  } catch {
    return DEFAULT_PREFERENCES;
  }
  const found = typeof stored === 'object' && stored !== null ? Object.entries(stored) : [];
  const known = found.filter(([key, value]) => Object.hasOwn(DEFAULT_PREFERENCES, key) && typeof value === 'boolean');
  return { ...DEFAULT_PREFERENCES, ...Object.fromEntries(known) };
}

function stored(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return DEFAULT_PREFERENCES; // storage is blocked: nothing to remember
  }
}

export const usePreferences = create<Preferences>(stored);

export function setPreference(patch: Partial<Preferences>): void {
  usePreferences.setState(patch);
  try {
    localStorage.setItem(KEY, JSON.stringify(usePreferences.getState()));
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
}
