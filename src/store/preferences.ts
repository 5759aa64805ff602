// A person's preferences for the page itself, whatever they train. Kept in local storage where the browser allows it.

import { create } from 'zustand';

export interface Preferences {
  /** Single-key shortcuts work. */
  readonly keys: boolean;
  /** The screen stays on while a run trains. */
  readonly wakeLock: boolean;
  /** Notify when a run has ended, if the browser allows it. */
  readonly notify: boolean;
  /** Half speed: a rest after each step, as long as the step. */
  readonly gentle: boolean;
  /** A run pauses before the battery is empty, if the browser reports one. */
  readonly batteryPause: boolean;
  /** Uses the graphics device that needs less power, if there are two. */
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

/** Reads what the storage holds as preferences: only known switches, and only if they are true or false. */
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
