// When this page last heard that a checkpoint was written.

import { useEffect, useState } from 'react';
import { create } from 'zustand';
import { useRunStore } from '../../store/run/run';

export interface SavedAt {
  readonly runId: string;
  readonly step: number;
  readonly ms: number;
}

export const useSavedAt = create<{ readonly saved: SavedAt | null }>(() => ({ saved: null }));

/** Call it once per page. */
export function useSavedWatch(): void {
  useEffect(
    () =>
      useRunStore.subscribe(({ run }, { run: before }) => {
        if (!run || run.savedStep === null) return;
        // That of a run that is resumed was written earlier, by another page.
        if (before?.runId !== run.runId || !before.prepared || before.savedStep === run.savedStep) return;
        useSavedAt.setState({ saved: { runId: run.runId, step: run.savedStep, ms: Date.now() } });
      }),
    [],
  );
}

/** The current time, updated as often as the note needs it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
