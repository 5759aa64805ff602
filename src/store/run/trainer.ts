// Runs: what the person asks of one goes to the worker from here, and the worker's events reach the run's stores here.

import type { RunConfig } from '../../config/run-config';
import { unreachable } from '../../base/errors';
import type { Event, ExportedFile, ExportKind } from '../../worker/protocol';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import { setDevice, setResumable, useDeviceStore, type Resumable } from './device';
import { downloadName, ggufName, makeDownload, revokeDownload, saveDownload } from './download';
import { connect, onEvent, restartWorker, send } from '../link';
import { noteMoved, onSteps, pushStep, resetMetrics, runMetrics } from './metrics';
import { usePreferences } from '../preferences';
import { isActive, isDownload, newRun, patchRun, reduceRun, useRunStore, type Asked, type Exported, type Run, type View } from './run';

const lastStep = (run: Run): number => (runMetrics().step.length > 0 ? runMetrics().step.last : run.step);

onSteps(() => {
  const { run } = useRunStore.getState();
  if (isActive(run) && run && lastStep(run) !== run.step) patchRun({ step: lastStep(run) });
});

/** Starts the worker and opens the GPU; once a page. */
export function connectTrainer(): void {
  connect();
  onEvent(receive);
  open();
}

const open = (): void => send({ type: 'open', base: document.baseURI, lowPower: usePreferences.getState().lowPower });

/** A fresh worker and a fresh device: after a lost device the old adapter may be stale. */
export function reopenDevice(): void {
  setDevice({ status: 'opening' });
  restartWorker();
  open();
}

export function startRun(config: RunConfig, model: ModelSource, data: DataSource, paused: boolean): void {
  const runId = crypto.randomUUID();
  begin(runId, config);
  send({ type: 'start', runId, config, model, data, paused });
}

/** Goes on from the checkpoint. `model`: the local folder, where it has to be chosen again. */
export function resumeRun(model?: ModelSource): void {
  const { resumable } = useDeviceStore.getState();
  if (!resumable || resumable.needsDownload || (resumable.needsModel !== null && !model)) return;
  const { runId, config } = resumable;
  begin(runId, config);
  send({ type: 'resume', runId, model });
}

function begin(runId: string, config: RunConfig): void {
  for (const old of Object.values(useRunStore.getState().run?.exported ?? {})) if (isDownload(old)) revokeDownload(old);
  resetMetrics(config.method === 'lisa' ? config.lisaPeriod : null);
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

/** Takes away the checkpoint of the unfinished run that could be gone on with. */
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
  const exported = useRunStore.getState().run?.exported[what];
  if (exported && isDownload(exported)) return saveDownload(exported);
  patchExport(what, 'asked');
  send({ type: 'export', what });
}

function patchExport(what: ExportKind, value: Exported): void {
  const { run } = useRunStore.getState();
  if (run) patchRun({ exported: { ...run.exported, [what]: value } });
}

/** Exported for the test; the page reaches it through the worker's messages only. */
export function receive(event: Event): void {
  const { run } = useRunStore.getState();
  switch (event.type) {
    case 'opened':
      setDevice({ status: 'ready', device: event.device, limits: event.limits, features: event.features });
      break;
    case 'speed':
      useDeviceStore.setState({ flopsPerSecond: event.flopsPerSecond });
      break;
    case 'refused':
      // Before a device there is nothing to refuse but opening it; after that it is the run.
      if (run && isActive(run)) useRunStore.setState({ run: reduceRun(run, { type: 'failed', error: event.error, savedStep: null }) });
      else setDevice({ status: 'unavailable', error: event.error });
      break;
    case 'resumable':
      setResumable(resumableOf(event));
      break;
    case 'run':
      if (!run || run.runId !== event.runId) break;
      if (!isActive(run)) break;
      // Steps reach React ten times a second at most (onSteps); every other event brings the step up to date first.
      if (event.event.type === 'step') pushStep(event.event.metrics);
      else if (event.event.type === 'moved') noteMoved(event.event.period, event.event.layers);
      else useRunStore.setState({ run: reduceRun({ ...run, step: lastStep(run) }, event.event) });
      // Nothing can start on a lost device; the page offers to open another.
      if (event.event.type === 'failed' && event.event.error.code === 'DEVICE_LOST')
        setDevice({ status: 'unavailable', error: event.event.error });
      break;
    case 'closed':
      // What it has given already stays saved; its record is in the history.
      if (run?.runId === event.runId) useRunStore.setState(({ view }) => ({ run: null, view: needsRun(view) ? 'setup' : view }));
      break;
    case 'exported': {
      if (run?.exported[event.what] !== 'asked') break;
      const made = makeDownload(...namedExport(run, event.what, event.files));
      patchExport(event.what, made);
      patchRun({ error: null });
      saveDownload(made);
      break;
    }
    case 'exportFailed':
      if (run?.exported[event.what] !== 'asked') break;
      // Why there is no GGUF of this model stands where it was asked for.
      if (ggufTypeOf(event.what)) return patchExport(event.what, event.error);
      patchExport(event.what, 'no');
      patchRun({ error: event.error });
      break;
    case 'preflight':
    case 'preflightFailed':
    case 'download':
    case 'models':
    case 'modelsFailed':
    case 'examined':
    case 'examineFailed':
    case 'inspecting':
    case 'inspected':
    case 'inspectFailed':
    case 'reply':
    case 'compareFailed':
      break; // other stores' (hub.ts, local-model.ts, inspect.ts, compare.ts)
    default:
      unreachable(event);
  }
}

const needsRun = (view: View): boolean => view === 'run' || view === 'compare';
const resumableOf = ({ type: _, ...resumable }: Extract<Event, { type: 'resumable' }>): Resumable => resumable;
const ggufTypeOf = (what: ExportKind): string | null => (what.startsWith('gguf-') ? what.slice('gguf-'.length) : null);

function namedExport(run: Run, what: ExportKind, files: readonly ExportedFile[]): [string, readonly ExportedFile[]] {
  const name = downloadName(run.prepared?.modelName ?? run.config.model, run.config.method, run.step);
  const type = ggufTypeOf(what);
  if (type) return [name, files.map((file) => ({ ...file, name: ggufName(name, file.name, type) }))];
  return [what === 'delta' ? `${name}-delta` : name, files];
}
