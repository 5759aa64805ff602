// The dedicated worker that owns the GPU: a thin switch from the page's commands to runs.

import { AppError, errorInfo } from '../errors';
import { openGpu, type Gpu } from '../gpu/device';
import { readCheckpointState } from './checkpoint';
import type { Command, Event, ExportKind } from './protocol';
import { canReopen, pageCheckpoints, WorkerRun, type RunRequest } from './worker-run';

let gpu: Gpu | null = null;
let run: WorkerRun | null = null;
let base = '';

const post = (event: Event, transfer: Transferable[] = []): void => self.postMessage(event, { transfer });

async function open(page: string): Promise<void> {
  base = page;
  gpu = await openGpu(navigator.gpu);
  post({ type: 'opened', device: gpu.description, limits: gpu.limits, features: [...gpu.features] });
  await offerResume();
}

/** Tells the page of an unfinished run that it can go on with; a broken checkpoint offers nothing. */
async function offerResume(): Promise<void> {
  const reader = await pageCheckpoints().open();
  const state = reader && (await readCheckpointState(reader).catch(() => null));
  if (!state || !canReopen(state.config) || state.trainer.step >= state.config.steps) return;
  post({
    type: 'resumable',
    runId: state.runId,
    step: state.trainer.step,
    steps: state.config.steps,
    config: state.config,
    needsModel: null,
  });
}

async function start(runId: string, request: Omit<RunRequest, 'base' | 'runId'>): Promise<void> {
  if (!gpu) throw new AppError('NO_ADAPTER', 'The graphics device is not open.', 'Reload the page.');
  await run?.close();
  run = new WorkerRun({ ...request, runId, base }, gpu, (event) => post({ type: 'run', runId, event }));
}

async function resume(runId: string): Promise<void> {
  const from = await pageCheckpoints().open();
  if (!from) throw new AppError('CHECKPOINT_MISMATCH', 'There is no checkpoint to go on from.', 'Start a new run.');
  const { config } = await readCheckpointState(from);
  await start(runId, {
    config,
    model: { kind: 'builtin', id: config.model },
    data: { kind: 'builtin', id: config.data },
    paused: false,
    from,
  });
}

async function exportFiles(what: ExportKind): Promise<void> {
  if (!run) throw new AppError('INTERNAL', 'There is no run to export.', '');
  const files = await run.files();
  post(
    { type: 'exported', what, files },
    files.map((file) => file.data.buffer),
  );
}

async function handle(command: Command): Promise<void> {
  switch (command.type) {
    case 'open':
      return open(command.base);
    case 'start':
      return start(command.runId, {
        config: command.config,
        model: command.model,
        data: command.data,
        paused: command.paused ?? false,
        from: null,
      });
    case 'resume':
      return resume(command.runId);
    case 'pause':
      return run?.gate.pause();
    case 'continue':
      return run?.gate.continue();
    case 'step':
      return run?.gate.step();
    case 'stop':
      return run?.gate.stop();
    case 'export':
      return exportFiles(command.what);
    case 'discard':
      await run?.close();
      run = null;
      return pageCheckpoints().clear();
    case 'save':
    case 'verify':
    case 'inspect':
    case 'compare':
    case 'cancelCompare':
      throw new AppError('INTERNAL', `The command ${command.type} is not known to the worker.`, 'Reload the page.');
  }
}

self.addEventListener('message', (message: MessageEvent<Command>) => {
  handle(message.data).catch((thrown: unknown) => post({ type: 'refused', error: errorInfo(thrown) }));
});
