// The models of ended runs that this browser stores: they can be compared and downloaded after a reload, until they are deleted.

import { create } from 'zustand';
import type { ErrorInfo } from '../../base/errors';
import type { FinishedRun } from '../../io/sources/finished';
import type { ModelSource } from '../../io/sources/run-sources';
import type { Event } from '../../worker/protocol';
import { send } from '../link';
import { isDownload, type Run } from './run';

export interface FinishedStore {
  /** Null until the worker has looked. */
  readonly runs: readonly FinishedRun[] | null;
  /** Why the final weights of a run could not be stored. */
  readonly failed: { readonly runId: string; readonly error: ErrorInfo } | null;
  /** The stored model that is being opened: 0 to 1. */
  readonly opening: { readonly runId: string; readonly fraction: number } | null;
  /** Folders of local models that were chosen again, by run. */
  readonly folders: Readonly<Record<string, ModelSource>>;
}

export const useFinishedStore = create<FinishedStore>(() => ({ runs: null, failed: null, opening: null, folders: {} }));

export const takeFinished = ({ runs }: Extract<Event, { type: 'finished' }>): void =>
  useFinishedStore.setState(({ failed }) => ({ runs, failed: runs.some(({ runId }) => runId === failed?.runId) ? null : failed }));

export const takeKeepFailure = ({ runId, error }: Extract<Event, { type: 'keepFailed' }>): void =>
  useFinishedStore.setState({ failed: { runId, error } });

export const takeReopening = ({ runId, fraction }: Extract<Event, { type: 'reopening' }>): void =>
  useFinishedStore.setState({ opening: fraction === null ? null : { runId, fraction } });

export const storedOf = (runId: string, { runs } = useFinishedStore.getState()): FinishedRun | null =>
  runs?.find((run) => run.runId === runId) ?? null;

/** What a command says about the ended run that it is for. */
export function endedRun(runId: string): { readonly runId: string; readonly model?: ModelSource } {
  const model = useFinishedStore.getState().folders[runId];
  return { runId, ...(model && { model }) };
}

export const giveFolder = (runId: string, name: string, files: readonly File[]): void =>
  useFinishedStore.setState(({ folders }) => ({ folders: { ...folders, [runId]: { kind: 'files', name, files } } }));

/** Asks again to store the final weights of the run that has just ended. */
export function keepAgain(): void {
  useFinishedStore.setState({ failed: null });
  send({ type: 'keep' });
}

export const forgetModels = (runIds: readonly string[]): void => send({ type: 'forgetModels', runIds });

/** The run's model is neither stored in the browser nor downloaded: closing the page loses it. */
export const isUnstored = (run: Run, stored: FinishedRun | null): boolean =>
  run.phase === 'done' && stored === null && !isDownload(run.exported.model) && !isDownload(run.exported.delta);

/** Whether anything can be asked of the model of this ended run now; 'folder': its local folder must be chosen again. */
export type ModelStanding = 'ready' | 'folder' | 'gone';

export function standingOf(run: Run, { runs, folders }: FinishedStore): ModelStanding {
  if (run.phase !== 'done') return 'gone';
  // The worker holds it until another run takes its place.
  if (!run.adopted) return 'ready';
  const stored = runs?.find(({ runId }) => runId === run.runId);
  if (!stored) return 'gone';
  return stored.needsModel !== null && !folders[run.runId] ? 'folder' : 'ready';
}
