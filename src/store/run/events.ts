// What the worker's events do to the live run. The events of any other run change nothing.

import type { ErrorInfo } from '../../base/errors';
import type { RunEvent, StepMetrics } from '../../train/events';
import type { Event, ExportedFile, ExportKind } from '../../worker/protocol';
import { setDevice } from './device';
import { downloadName, ggufName, makeDownload, saveDownload } from './download';
import { noteMoved, onSteps, pushStep, runMetrics } from './metrics';
import { isActive, patchExport, patchRun, reduceRun, useRunStore, type Run, type View } from './run';

/** The live run, if it is this one and has not ended. */
function going(runId: string): Run | null {
  const { run } = useRunStore.getState();
  return run?.runId === runId && isActive(run) ? run : null;
}

const lastStep = (run: Run): number => (runMetrics().step.length > 0 ? runMetrics().step.last : run.step);

/** Steps reach React ten times a second at most; `takeRunEvent` brings the step up to date before every other event. */
export const watchSteps = (): (() => void) =>
  onSteps(() => {
    const { run } = useRunStore.getState();
    if (isActive(run) && run && lastStep(run) !== run.step) patchRun({ step: lastStep(run) });
  });

export function takeStep(runId: string, metrics: StepMetrics): void {
  if (going(runId)) pushStep(metrics);
}

export function takeMoved(runId: string, { period, layers }: Extract<RunEvent, { type: 'moved' }>): void {
  if (going(runId)) noteMoved(period, layers);
}

export function takeRunEvent(runId: string, event: RunEvent): void {
  const run = going(runId);
  if (!run) return;
  useRunStore.setState({ run: reduceRun({ ...run, step: lastStep(run) }, event) });
  // Nothing can start on a lost device; the page offers to open another.
  if (event.type === 'failed' && event.error.code === 'DEVICE_LOST') setDevice({ status: 'unavailable', error: event.error });
}

/** Before there is a device, only opening one can be refused; after that, a run. */
export function takeRefusal(error: ErrorInfo): void {
  const { run } = useRunStore.getState();
  if (run && isActive(run)) useRunStore.setState({ run: reduceRun(run, { type: 'failed', error, savedStep: null }) });
  else setDevice({ status: 'unavailable', error });
}

/** The worker has let an ended run go. What the run has given stays saved, and its record stays in the history. */
export function takeClosed(runId: string): void {
  if (useRunStore.getState().run?.runId !== runId) return;
  useRunStore.setState(({ view }) => ({ run: null, view: needsRun(view) ? 'setup' : view }));
}

const needsRun = (view: View): boolean => view === 'run' || view === 'compare';

export function takeExport({ what, files }: Extract<Event, { type: 'exported' }>): void {
  const { run } = useRunStore.getState();
  if (run?.exported[what] !== 'asked') return;
  const made = makeDownload(...namedExport(run, what, files));
  patchExport(what, made);
  patchRun({ error: null });
  saveDownload(made);
}

export function takeExportFailure({ what, error }: Extract<Event, { type: 'exportFailed' }>): void {
  if (useRunStore.getState().run?.exported[what] !== 'asked') return;
  // The GGUF choice itself says why this model has no GGUF.
  if (ggufTypeOf(what)) return patchExport(what, error);
  patchExport(what, 'no');
  patchRun({ error });
}

const ggufTypeOf = (what: ExportKind): string | null => (what.startsWith('gguf-') ? what.slice('gguf-'.length) : null);

function namedExport(run: Run, what: ExportKind, files: readonly ExportedFile[]): [string, readonly ExportedFile[]] {
  const name = downloadName(run.prepared?.modelName ?? run.config.model, run.config.method, run.step);
  const type = ggufTypeOf(what);
  if (type) return [name, files.map((file) => ({ ...file, name: ggufName(name, file.name, type) }))];
  return [what === 'delta' ? `${name}-delta` : name, files];
}
