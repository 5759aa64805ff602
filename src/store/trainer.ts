// Ties the training worker to the stores: commands go out here, events come in here.

import type { RunConfig } from '../config';
import { unreachable } from '../errors';
import { createTrainClient, type TrainClient } from '../train/client';
import type { Command, DataSource, Event, ModelSource } from '../train/protocol';
import { setDevice, setResumable, useDeviceStore } from './device';
import { downloadName, makeDownload, revokeDownload, saveDownload } from './download';
import { onSteps, pushStep, resetMetrics, runMetrics } from './metrics';
import { isActive, newRun, patchRun, reduceRun, useRunStore, type Run } from './run';

let client: TrainClient | null = null;

const lastStep = (run: Run): number => (runMetrics().step.length > 0 ? runMetrics().step.last : run.step);

onSteps(() => {
  const { run } = useRunStore.getState();
  if (isActive(run) && run && lastStep(run) !== run.step) patchRun({ step: lastStep(run) });
});

/** Starts the worker and opens the GPU; once a page. */
export function connectTrainer(): void {
  if (client) return;
  client = createTrainClient();
  client.subscribe(receive);
  client.send({ type: 'open', base: document.baseURI });
}

/** A fresh worker and a fresh device: after a lost device the old adapter may be stale. */
export function reopenDevice(): void {
  setDevice({ status: 'opening' });
  client?.restart();
  client?.send({ type: 'open', base: document.baseURI });
}

const send = (command: Command): void => client?.send(command);

export function startRun(config: RunConfig, model: ModelSource, data: DataSource, paused: boolean): void {
  const runId = crypto.randomUUID();
  begin(runId, config);
  send({ type: 'start', runId, config, model, data, paused });
}

export function resumeRun(): void {
  const { resumable } = useDeviceStore.getState();
  if (!resumable) return;
  const runId = crypto.randomUUID();
  begin(runId, resumable.config);
  send({ type: 'resume', runId });
}

function begin(runId: string, config: RunConfig): void {
  const old = useRunStore.getState().run?.exported;
  if (typeof old === 'object') revokeDownload(old);
  resetMetrics(config.method === 'lisa' ? config.lisaPeriod : null);
  useRunStore.setState({ run: newRun(runId, config), view: 'run' });
  setResumable(null);
}

export function ask(what: 'pause' | 'continue' | 'step' | 'stop'): void {
  patchRun({ asked: what });
  send({ type: what });
}

/** Saves the tuned model; the worker is asked for it the first time. */
export function download(): void {
  const exported = useRunStore.getState().run?.exported;
  if (typeof exported === 'object') return saveDownload(exported);
  patchRun({ exported: 'asked' });
  send({ type: 'export' });
}

/** Exported for the test; the page reaches it through the worker's messages only. */
export function receive(event: Event): void {
  const { run } = useRunStore.getState();
  switch (event.type) {
    case 'opened':
      setDevice({ status: 'ready', device: event.device });
      break;
    case 'refused':
      // Before a device there is nothing to refuse but opening it; after that it is the run, or the export.
      if (run && isActive(run)) useRunStore.setState({ run: reduceRun(run, { type: 'failed', error: event.error, savedStep: null }) });
      else if (run?.exported === 'asked') patchRun({ exported: 'no', error: event.error });
      else setDevice({ status: 'unavailable', error: event.error });
      break;
    case 'resumable':
      setResumable({ step: event.step, steps: event.steps, config: event.config });
      break;
    case 'run':
      if (!run || run.runId !== event.runId) break;
      if (!isActive(run)) break;
      // Steps reach React ten times a second at most (onSteps); every other event brings the step up to date first.
      if (event.event.type === 'step') pushStep(event.event.metrics);
      else useRunStore.setState({ run: reduceRun({ ...run, step: lastStep(run) }, event.event) });
      // Nothing can start on a lost device; the page offers to open another.
      if (event.event.type === 'failed' && event.event.error.code === 'DEVICE_LOST')
        setDevice({ status: 'unavailable', error: event.event.error });
      break;
    case 'exported': {
      if (run?.exported !== 'asked') break;
      const made = makeDownload(downloadName(run.prepared?.modelName ?? run.config.model, run.config.method, run.step), event.files);
      patchRun({ exported: made, error: null });
      saveDownload(made);
      break;
    }
    default:
      unreachable(event);
  }
}
