// What the worker does, without the worker: it applies commands in order to one GPU and one run at a time. Events go
// out through the given function, so that a test can stand in for the page.

import { AppError, errorInfo, unreachable, type ErrorInfo } from '../base/errors';
import type { Gpu } from '../gpu/device';
import type { ClientOptions } from '../io/hub/client';
import { keyOf, type ModelCache } from '../io/hub/model-cache';
import type { Patience } from '../io/hub/retry';
import { readModelFacts } from '../io/sources/model-facts';
import { readCheckpointState, type CheckpointState } from '../train/checkpoint';
import type { CheckpointReader } from '../io/formats/checkpoints';
import { HubService } from './hub-service';
import { DeviceCheck } from './device-check';
import { Measurements } from './measurement';
import type { Command, CompareRequest, Event, ExportKind } from './protocol';
import { DutyCycle } from '../train/duty';
import type { RunEvent } from '../train/events';
import type { FinishedRun } from '../io/sources/finished';
import type { HubModel, ModelUse } from '../io/hub/types';
import { Queue } from './queue';
import { Reader, type SpawnReader } from './reader/reader';
import { otherTab, type RunStorage } from './run-storage';
import { untilFree } from '../io/browser/tab-lock';
import type { ModelSource, KeptSources } from '../io/sources/run-sources';
import { openModelSource, type SourcePlaces } from './sources';
import { measureSpeed } from '../engine/speed';
import { Discarded } from '../train/session-host';
import { WorkerRun, type RunRequest } from './run';

export interface ServiceDeps {
  openGpu(lowPower: boolean): Promise<Gpu>;
  readonly storage: RunStorage;
  readonly models: ModelCache;
  /** Starts the worker that reads strangers' files. */
  readonly spawnReader: SpawnReader;
  /** How patient to be with a hub; the defaults if absent. */
  readonly hub?: { readonly patience?: Patience; readonly client?: ClientOptions };
  post(event: Event): void;
}

export class TrainService {
  readonly #deps: ServiceDeps;
  #gpu: Gpu | null = null;
  #run: WorkerRun | null = null;
  #base = '';
  /** Until the storage is free of other tabs: then an unfinished run is offered. */
  #offering: Promise<void> | null = null;
  /** The model of the run, which may have ended. */
  #model: ModelSource | null = null;
  readonly #reader: Reader;
  readonly #check: DeviceCheck;
  readonly #hub: HubService;
  readonly #measurements: Measurements;
  readonly #commands = new Queue();
  readonly #duty = new DutyCycle();

  constructor(around: ServiceDeps) {
    this.#deps = around;
    const post = (event: Event): void => around.post(event);
    this.#reader = new Reader(around.spawnReader, post);
    this.#check = new DeviceCheck(post);
    this.#measurements = new Measurements(post);
    this.#hub = new HubService({
      cache: around.models,
      uses: () => this.#uses(),
      closeEnded: () => this.#closeEnded(),
      post: (event) => {
        post(event);
        // An unfinished run may have waited for just this model.
        if (event.type === 'download' && event.download.phase === 'done' && !this.#run) void this.#offerResume();
      },
      ...around.hub,
    });
  }

  /**
   * Commands are done one after another: what is said to a run while the one before it is still being closed is meant for
   * the new one. None takes as long as a run. Resolves when this one is done, and never rejects.
   */
  handle(command: Command): Promise<void> {
    if (command.type === 'ping') {
      this.#deps.post({ type: 'alive' });
      return Promise.resolve();
    }
    return this.#commands.run(() => this.#do(command)).catch(this.#refuse);
  }

  readonly #refuse = (thrown: unknown): void => this.#deps.post({ type: 'refused', error: errorInfo(thrown) });

  async #do(command: Exclude<Command, { type: 'ping' }>): Promise<void> {
    switch (command.type) {
      case 'open':
        return this.#open(command.base, command.lowPower ?? false);
      case 'start': {
        const { runId, config, model, data, paused = false } = command;
        return this.#start({ runId, config, model, data, paused, from: null });
      }
      case 'resume':
        return this.#resume(command.runId, command.model).catch((thrown: unknown) => {
          void this.#offerResume();
          throw thrown;
        });
      case 'pause':
        return this.#run?.gate.pause();
      case 'continue':
        if (command.saving === false) this.#run?.stopSaving();
        return this.#run?.gate.continue();
      case 'pace':
        this.#duty.share = command.rest;
        return;
      case 'step':
        return this.#run?.gate.step();
      case 'stop':
        return this.#run?.gate.stop();
      case 'save':
      case 'verify':
        return this.#run?.gate.want(command.type);
      case 'discard':
        return this.#discard();
      case 'keep':
        return this.#run?.keep();
      case 'endAtLastGood':
        // Not awaited: it evaluates.
        if (this.#run?.runId === command.runId) void this.#run.endAtLastGood();
        return;
      case 'forgetModels':
        for (const runId of command.runIds) await this.#deps.storage.finished.remove(runId);
        return this.#tellFinished();
      case 'export':
        // Not awaited, so a pending comparison can still be cancelled.
        void this.#export(command.what, await this.#ended(command.runId, command.model)).catch((thrown: unknown) =>
          this.#deps.post({ type: 'exportFailed', what: command.what, error: errorInfo(thrown) }),
        );
        return;
      case 'prove':
        // Not awaited, so that it can be cancelled.
        void this.#prove(command.runId, await this.#ended(command.runId, command.model));
        return;
      case 'cancelProof':
        return this.#run?.cancelProof();
      case 'inspect':
        return this.#reader.inspect(command, this.#base);
      case 'measure':
        this.#check.cancel();
        return this.#measurements.start(command, this.#gpu, this.#places, this.#reader, this.#training);
      case 'cancelMeasure':
        return this.#measurements.end();
      case 'hub':
      case 'preflight':
      case 'download':
      case 'pauseDownload':
      case 'cancelDownload':
      case 'listModels':
      case 'deleteModel':
        return this.#hub.handle(command);
      case 'examine':
        void this.#examine(command.id, command.model);
        return;
      case 'compare':
        void this.#compare(command.id, command.request, await this.#ended(command.runId, command.model));
        return;
      case 'cancelCompare':
        return this.#run?.cancelCompare();
      case 'checkDevice':
        // Not awaited, so that it can be cancelled.
        void this.#check.start(this.#gpu, command.runtime, this.#training || this.#measurements.active);
        return;
      case 'cancelDeviceCheck':
        return this.#check.cancel();
      default:
        return unreachable(command);
    }
  }

  async #open(base: string, lowPower: boolean): Promise<void> {
    this.#base = base;
    await this.#tellFinished();
    const gpu = await this.#deps.openGpu(lowPower);
    this.#gpu = gpu;
    this.#deps.post({ type: 'opened', device: gpu.description, limits: gpu.limits, features: [...gpu.offered] });
    await this.#dropLeftovers().catch(() => undefined);
    await this.#offerResume();
    // Not awaited: a start goes first, and then the run itself measures better.
    void this.#tellSpeed(gpu);
  }

  /** Removes copies of data of runs that were cut off before their first checkpoint: those cannot be resumed. */
  async #dropLeftovers(): Promise<void> {
    const { checkpoints, sources, finished, lock } = this.#deps.storage;
    // Another tab's run may not have written its first checkpoint yet.
    if (!(await lock.acquire())) return;
    try {
      const reader = await checkpoints.open();
      // A damaged checkpoint throws here, and everything stays as it is.
      await sources.keepOnly(reader && (await readCheckpointState(reader)).runId);
      await finished.dropBroken();
    } finally {
      lock.release();
    }
  }

  async #tellSpeed(gpu: Gpu): Promise<void> {
    // A device that fails at this says why when a run starts on it.
    const flopsPerSecond = await measureSpeed(gpu, () => this.#run !== null).catch(() => null);
    if (flopsPerSecond !== null) this.#deps.post({ type: 'speed', flopsPerSecond });
  }

  /** Tells the page about an unfinished run that it can resume. One that cannot be opened again is not offered. */
  async #offerResume(): Promise<void> {
    const { lock } = this.#deps.storage;
    if (!(await lock.free())) {
      // Another tab is using it; or a worker that no longer answered was ended, and the browser takes seconds to let go of what it held.
      if (!this.#offering)
        this.#offering = untilFree(lock).then(() => {
          this.#offering = null;
          return this.#run ? undefined : this.#offerResume();
        });
      return;
    }
    const stored = await this.#stored().catch(() => null);
    if (!stored || stored.state.trainer.step >= stored.state.config.steps) return;
    // It ended, and its model is stored: the page was closed just before its checkpoint was removed.
    if ((await this.#finished()).some(({ runId }) => runId === stored.state.runId)) return this.#discardStored();
    const { runId, config, trainer } = stored.state;
    const { model } = stored.sources;
    const needsModel = model.kind === 'files' ? model.name : null;
    const isThere = model.kind !== 'hub' || ((await this.#deps.models.find(model).catch(() => null))?.whole ?? false);
    const needsDownload = isThere ? null : model;
    this.#deps.post({ type: 'resumable', runId, step: trainer.step, steps: config.steps, config, needsModel, needsDownload });
  }

  /** Null where nothing is stored. Throws CHECKPOINT_CORRUPT. */
  async #stored(): Promise<{ reader: CheckpointReader; state: CheckpointState; sources: KeptSources } | null> {
    const { checkpoints, sources } = this.#deps.storage;
    const reader = await checkpoints.open();
    if (!reader) return null;
    const state = await readCheckpointState(reader);
    const kept = await sources.open(state.runId);
    return kept && { reader, state, sources: kept };
  }

  async #start(request: Omit<RunRequest, 'reader' | 'places' | 'duty'>): Promise<void> {
    if (!this.#gpu) throw new AppError('NO_ADAPTER', 'The graphics device is not open.', 'Reload the page.');
    this.#check.cancel();
    this.#reader.endInspection();
    await this.#measurements.end();
    await this.#run?.close();
    const { runId } = request;
    const onEvent = (event: RunEvent): void => {
      this.#deps.post({ type: 'run', runId, event });
      if (event.type === 'done') void this.#hub.listAgain();
      if (event.type !== 'failed') return;
      // One that can still end at its last good step is kept for that.
      if (this.#run === run && event.lastGood === undefined) this.#run = null;
      void this.#offerResume();
      void this.#hub.listAgain();
    };
    const onKept = (error: ErrorInfo | null): void => {
      if (error) this.#deps.post({ type: 'keepFailed', runId, error });
      else void this.#tellFinished();
    };
    const whole = { ...request, reader: this.#reader, places: this.#places, duty: this.#duty };
    const run = new WorkerRun(whole, this.#gpu, this.#deps.storage, onEvent, onKept);
    this.#run = run;
    this.#model = request.model;
    void this.#hub.listAgain();
  }

  get #training(): boolean {
    return this.#run !== null && !this.#run.over;
  }

  get #places(): SourcePlaces {
    return { base: this.#base, models: this.#deps.models };
  }

  /** Used by the current run or by the resumable one. */
  async #uses(): Promise<(model: HubModel) => ModelUse | null> {
    const stored = await this.#stored().catch(() => null);
    const run = this.#run;
    const users: readonly (readonly [ModelUse, ModelSource | KeptSources['model'] | null | undefined])[] = [
      [run?.over ? 'ended run' : 'run', run && this.#model],
      ['checkpoint', stored?.sources.model],
    ];
    return (model) => users.find(([, user]) => user?.kind === 'hub' && keyOf(user) === keyOf(model))?.[0] ?? null;
  }

  /** Nothing is compared or exported from it any more. */
  async #closeEnded(): Promise<void> {
    const run = this.#run;
    if (!run?.over) return;
    this.#run = null;
    await run.close();
    this.#deps.post({ type: 'closed', runId: run.runId });
  }

  async #finished(): Promise<readonly FinishedRun[]> {
    return this.#deps.storage.finished.list().catch(() => []);
  }

  async #tellFinished(): Promise<void> {
    this.#deps.post({ type: 'finished', runs: await this.#finished() });
  }

  /** The run with this id, open; or why it cannot be. A stored one is loaded, in place of the last one that ended. Never rejects. */
  async #ended(runId: string, given?: ModelSource): Promise<WorkerRun | AppError> {
    const now = this.#run;
    if (now?.runId === runId && now.finished) return now;
    if (now && !now.over) {
      const what = now.runId === runId ? 'This run has not ended.' : 'Another run is training.';
      return new AppError('INTERNAL', what, 'Wait until it ends, or stop it.');
    }
    try {
      const found = await this.#reopen(runId, given);
      return found instanceof AppError ? found : (this.#run = found);
    } catch (thrown) {
      const { code, detail, remedy } = errorInfo(thrown);
      return new AppError(code, detail, remedy, { cause: thrown });
    } finally {
      this.#deps.post({ type: 'reopening', runId, fraction: null });
    }
  }

  async #reopen(runId: string, given?: ModelSource): Promise<WorkerRun | AppError> {
    const stored = await this.#deps.storage.finished.open(runId);
    if (!stored) return new AppError('CHECKPOINT_MISMATCH', 'The model of this run is not stored in this browser.', 'Train it again.');
    if (!this.#gpu) return new AppError('NO_ADAPTER', 'The graphics device is not open.', 'Reload the page.');
    const { reader, sources } = stored;
    const model = sources.model.kind === 'files' ? given : sources.model;
    if (!model) return folderAgain(sources.model);
    const { config, trainer } = await readCheckpointState(reader);
    await this.#run?.close();
    this.#run = null;
    this.#model = model;
    let failed: AppError | null = null;
    const from = { reader, step: trainer.step };
    const request = { runId, config, model, data: sources.data, paused: false, from, ended: true, reader: this.#reader };
    const run = new WorkerRun({ ...request, places: this.#places, duty: this.#duty }, this.#gpu, this.#deps.storage, (event) => {
      if (event.type === 'phase') this.#deps.post({ type: 'reopening', runId, fraction: event.fraction ?? 0 });
      if (event.type === 'failed') failed = new AppError(event.error.code, event.error.detail, event.error.remedy);
    });
    await run.settled;
    void this.#hub.listAgain();
    return failed ?? run;
  }

  /** `given`: the local folder that the run used. */
  async #resume(runId: string, given?: ModelSource): Promise<void> {
    if (!(await this.#deps.storage.lock.free())) throw otherTab();
    const stored = await this.#stored();
    if (stored?.state.runId !== runId) throw new AppError('CHECKPOINT_MISMATCH', 'There is no checkpoint of this run.', 'Start a new run.');
    const { reader, state, sources } = stored;
    const model = sources.model.kind === 'files' ? given : sources.model;
    if (!model) throw folderAgain(sources.model);
    await this.#start({
      runId,
      config: state.config,
      model,
      data: sources.data,
      paused: false,
      from: { reader, step: state.trainer.step },
    });
  }

  /** The current run; if there is none, or it failed, the resumable one. */
  async #discard(): Promise<void> {
    const run = this.#run;
    this.#run = null;
    await (run ? run.discard() : this.#discardStored());
    void this.#hub.listAgain();
  }

  async #discardStored(): Promise<void> {
    const { checkpoints, sources } = this.#deps.storage;
    const stored = await this.#stored().catch(() => null);
    await checkpoints.clear();
    if (stored) await sources.remove(stored.state.runId);
  }

  /** Never rejects. */
  async #examine(id: number, model: ModelSource): Promise<void> {
    try {
      this.#deps.post({ type: 'examined', id, facts: await readModelFacts(await openModelSource(model, this.#places)) });
    } catch (thrown) {
      this.#deps.post({ type: 'examineFailed', id, error: errorInfo(thrown) });
    }
  }

  /** Never rejects. */
  async #compare(id: number, request: CompareRequest, run: WorkerRun | AppError): Promise<void> {
    try {
      if (run instanceof AppError) throw run;
      await run.compare(request, (reply) => this.#deps.post({ type: 'reply', id, ...reply }));
    } catch (thrown) {
      this.#deps.post({ type: 'compareFailed', id, error: errorInfo(thrown) });
    }
  }

  /** Never rejects. One that is not wanted any more gets no answer. */
  async #prove(runId: string, run: WorkerRun | AppError): Promise<void> {
    try {
      if (run instanceof AppError) throw run;
      const lines = await run.prove(this.#gpu!, (what, fraction) => this.#deps.post({ type: 'proving', runId, what, fraction }));
      this.#deps.post({ type: 'proved', runId, lines });
    } catch (thrown) {
      if (!(thrown instanceof Discarded)) this.#deps.post({ type: 'proveFailed', runId, error: errorInfo(thrown) });
    }
  }

  async #export(what: ExportKind, run: WorkerRun | AppError): Promise<void> {
    if (run instanceof AppError) throw run;
    this.#deps.post({ type: 'exported', what, files: await run.files(what) });
  }
}

const folderAgain = (model: KeptSources['model']): AppError => {
  const name = model.kind === 'files' ? model.name : '';
  return new AppError(
    'CHECKPOINT_MISMATCH',
    `The run uses the model folder ${name}, which the page cannot open by itself.`,
    'Choose that folder again.',
  );
};
