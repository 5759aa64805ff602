// Whether the set-up shows everything, or what most runs need. Kept for the next visit.

import { create } from 'zustand';
import { recall, remember } from '../remembered';

export type SetupMode = 'simple' | 'advanced';

export const useSetupMode = create<{ readonly mode: SetupMode }>(() => ({ mode: 'simple' }));

export const loadSetupMode = (): void =>
  useSetupMode.setState({ mode: recall('setup', (value) => (value === 'advanced' ? value : undefined)) ?? 'simple' });

export function setSetupMode(mode: SetupMode): void {
  useSetupMode.setState({ mode });
  remember('setup', mode);
}
