// The guided tour: which of its steps is shown.

import { create } from 'zustand';
import { setView } from './run/run';

/** Steps of the tour, in order; src/ui/tour/ says what each shows. */
export const TOUR_STEPS = ['model', 'method', 'schedule', 'memory', 'start'] as const;
export type TourStep = (typeof TOUR_STEPS)[number];

/** Null while no tour is on. */
export const useTourStore = create<{ readonly step: TourStep | null }>(() => ({ step: null }));

/** Its steps are about the set-up. */
export function startTour(): void {
  setView('setup');
  useTourStore.setState({ step: TOUR_STEPS[0] });
}

export const showTourStep = (step: TourStep): void => useTourStore.setState({ step });
export const endTour = (): void => useTourStore.setState({ step: null });
