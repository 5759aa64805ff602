// What happened in the live run, with the time: for the list of events. Steps are not in it; they are the charts'.

import { create } from 'zustand';
import type { Phase, RunEvent } from '../../train/events';
import { onEvent } from '../link';
import { useRunStore } from './run';

export interface LogLine {
  /** From 0 in this page, one after another. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The last step that was finished then. */
  readonly step: number;
  readonly event: RunEvent;
}

/** The oldest lines leave beyond this many. */
const MOST_LINES = 500;

export const useLog = create<{ readonly runId: string; readonly lines: readonly LogLine[] }>(() => ({ runId: '', lines: [] }));

let phase: Phase | null = null;
let next = 0;

/** Exported for the test. */
export function note(runId: string, event: RunEvent, at: number): void {
  const log = useLog.getState();
  const fresh = log.runId !== runId;
  if (fresh) phase = null;
  if (event.type === 'step' || event.type === 'moved') return;
  // A phase tells how far it is again and again.
  if (event.type === 'phase' && event.phase === phase) return;
  if (event.type === 'phase') phase = event.phase;
  const { run } = useRunStore.getState();
  const line: LogLine = { id: next++, at, step: run?.runId === runId ? run.step : 0, event };
  useLog.setState({ runId, lines: [...(fresh ? [] : log.lines), line].slice(-MOST_LINES) });
}

/** Once a page. */
export const watchLog = (): (() => void) =>
  onEvent((event) => {
    if (event.type === 'run') note(event.runId, event.event, Date.now());
  });
