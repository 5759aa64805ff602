// What happened in the live run, with the time: for the list of events. Steps are not in it; the charts show them.

import { create } from 'zustand';
import type { Phase, RunEvent } from '../../train/events';
import { useRunStore } from './run';

/** What is listed: not the steps, and not how far layers moved. The charts show those. */
export type LoggedEvent = Exclude<RunEvent, { type: 'step' | 'moved' }>;

export interface LogLine {
  /** From 0 in this page, one after another. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The last step that was finished then. */
  readonly step: number;
  readonly event: LoggedEvent;
}

/** Beyond this many lines, the oldest are dropped. */
const MOST_LINES = 500;

export const useLog = create<{ readonly runId: string; readonly lines: readonly LogLine[] }>(() => ({ runId: '', lines: [] }));

let phase: Phase | null = null;
let next = 0;

/** `at`: milliseconds since 1970. */
export function note(runId: string, event: LoggedEvent, at: number): void {
  const log = useLog.getState();
  const fresh = log.runId !== runId;
  if (fresh) phase = null;
  // A phase reports its progress again and again.
  if (event.type === 'phase' && event.phase === phase) return;
  if (event.type === 'phase') phase = event.phase;
  const { run } = useRunStore.getState();
  const line: LogLine = { id: next++, at, step: run?.runId === runId ? run.step : 0, event };
  useLog.setState({ runId, lines: [...(fresh ? [] : log.lines), line].slice(-MOST_LINES) });
}
