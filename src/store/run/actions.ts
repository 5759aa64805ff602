// Sends what a person asks of the device and of runs to the worker.

import type { RunConfig } from '../../config/run-config';
import type { ExportKind } from '../../worker/protocol';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import { setDevice, setResumable, useDeviceStore } from './device';
import { revokeDownload, saveDownload } from './download';
import { endedRun } from './finished';
import { restartWorker, send } from '../link';
import { resetMetrics, restoreMetrics, type MetricsSnapshot } from './metrics';
import { usePreferences } from '../preferences';
import { isActive, isDownload, newRun, patchExport, patchRun, useRunStore, type Asked, type Run } from './run';

/** Asks the worker for the GPU; it answers with 'opened' or 'refused'. */
export const openDevice = (): void => send({ type: 'open', base: document.baseURI, lowPower: usePreferences.getState().lowPower });

/** A fresh worker and a fresh device: after a lost device the old adapter may be stale. */
export function reopenDevice(): void {
  restartWorker();
  openDevice();
  // Stores that see the device open again tell the fresh worker what the old one knew.
  setDevice({ status: 'opening' });
}

export function startRun(config: RunConfig, model: ModelSource, data: DataSource, paused: boolean): void {
  const runId = crypto.randomUUID();
  begin(runId, config);
  send({ type: 'start', runId, config, model, data, paused });
}

/** Resumes from the checkpoint. `model`: the local folder, if it has to be chosen again. */
export function resumeRun(model?: ModelSource): void {
  const { resumable } = useDeviceStore.getState();
  if (!resumable || resumable.needsDownload || (resumable.needsModel !== null && !model)) return;
  const { runId, config } = resumable;
  begin(runId, config);
  send({ type: 'resume', runId, model });
}

/** Shows a run that ended before this page was loaded as the page's run. */
export function adoptRun(run: Run, metrics: MetricsSnapshot): void {
  letDownloadsGo();
  restoreMetrics(metrics);
  useRunStore.setState({ run: { ...run, adopted: true }, view: 'run' });
}

function letDownloadsGo(): void {
  for (const old of Object.values(useRunStore.getState().run?.exported ?? {})) if (isDownload(old)) revokeDownload(old);
}

function begin(runId: string, config: RunConfig): void {
  letDownloadsGo();
  resetMetrics(config.method === 'lisa' ? config.stepsPerPeriod : null);
  useRunStore.setState({ run: newRun(runId, config), view: 'run' });
  setResumable(null);
}

export function ask(what: Asked): void {
  patchRun({ asked: what });
  send({ type: what });
}

/** After a checkpoint that could not be written: tries again, and trains on if it can be. */
export function saveAndGoOn(): void {
  ask('save');
  send({ type: 'continue' });
}

/** After a checkpoint that could not be written: trains on, and writes no more of them. */
export function goOnUnsaved(): void {
  patchRun({ asked: 'continue', saveError: null });
  send({ type: 'continue', saving: false });
}

/** Removes the checkpoint of the resumable run. */
export function forgetCheckpoint(): void {
  setResumable(null);
  send({ type: 'discard' });
}

/** Ends the run and forgets it; nothing of it is kept. */
export function discardRun(): void {
  send({ type: 'discard' });
  useRunStore.setState({ run: null, view: 'setup' });
}

/** Saves the tuned model in one of its forms, or the tensors that changed; the worker is asked for it the first time. */
export function download(what: ExportKind = 'model'): void {
  const { run } = useRunStore.getState();
  if (!run) return;
  const exported = run.exported[what];
  if (isDownload(exported)) return saveDownload(exported);
  patchExport(what, 'asked');
  send({ type: 'export', what, ...endedRun(run.runId) });
}

/** After a step that failed: the run ends at its last good step, and its model is saved. */
export function exportLastGood(): void {
  const { run } = useRunStore.getState();
  if (!run || run.lastGood === null) return;
  patchRun({ phase: 'evaluating', error: null, lastGood: null, step: run.lastGood });
  send({ type: 'endAtLastGood', runId: run.runId });
  const end = useRunStore.subscribe(({ run: now }) => {
    if (now?.runId === run.runId && isActive(now)) return;
    end();
    if (now?.runId === run.runId && now.phase === 'done') download('model');
  });
}
