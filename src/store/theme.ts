// Light, dark, or as the system says. Kept in local storage where the browser allows it.

import { create } from 'zustand';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'lisa-studio.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system'; // storage is blocked: nothing to remember
  }
}

export const useThemeStore = create<{ readonly theme: Theme }>(() => ({ theme: 'system' }));

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  useThemeStore.setState({ theme });
}

export const loadTheme = (): void => apply(stored());

export function setTheme(theme: Theme): void {
  apply(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
}

/** Calls back when the colours on screen change, by choice or by the system. */
export function onColoursChange(listener: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', listener);
  const end = useThemeStore.subscribe(listener);
  return () => {
    system.removeEventListener('change', listener);
    end();
  };
}
