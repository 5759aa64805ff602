// One run inside the worker: from the page's sources to a session and its events.

import type { RunConfig } from '../config/run-config';
import { AppError, errorInfo, type ErrorInfo } from '../base/errors';
import type { Gpu } from '../gpu/device';
import { blobOf } from '../io/browser/export-blob';
import { GGUF_TYPES } from '../io/formats/gguf';
import type { CheckpointReader } from '../io/formats/checkpoints';
import { Comparison, type Reply } from './comparison';
import { exportDelta } from '../export/run-delta';
import { exportRunGguf } from '../export/run-gguf';
import { exportTuned } from '../export/run';
import { Gate } from '../train/gate';
import type { DutyCycle } from '../train/duty';
import { prepareInputs, Unwanted, type RunInputs } from '../train/prepare';
import type { CompareRequest, ExportedFile, ExportKind } from './protocol';
import type { DataSource, ModelSource } from '../io/sources/run-sources';
import type { RunEvent } from '../train/events';
import { Queue } from './queue';
import { keptSources, RunCheckpoints, type RunStorage } from './run-storage';
import { proveRun, type ProofLine, type ProveHost } from '../train/prove';
import { Session } from '../train/session';
import { Discarded } from '../train/session-host';
import type { OpenScratch } from '../io/formats/scratch';
import type { SafetensorsFile } from '../io/formats/safetensors';
import type { Reader } from './reader/reader';
import { openModelSource, type SourcePlaces } from './sources';

export interface RunRequest {
  readonly runId: string;
  readonly config: RunConfig;
  readonly model: ModelSource;
  readonly data: DataSource;
  readonly paused: boolean;
  /** The run has ended, and `from` holds its final weights: it takes no steps, only answers and exports. */
  readonly ended?: boolean;
  /** The checkpoint to resume from. */
  readonly from: { readonly reader: CheckpointReader; readonly step: number } | null;
  /** Reads the data. */
  readonly reader: Reader;
  readonly places: SourcePlaces;
  readonly duty: DutyCycle;
}

export class WorkerRun {
  readonly runId: string;
  readonly #gate: Gate;
  readonly #emit: (event: RunEvent) => void;
  readonly #checkpoints: RunCheckpoints;
  #session: Session | null = null;
  #comparison: Comparison | null = null;
  /** Uses of the session's engine after the run, one at a time. */
  readonly #uses = new Queue();
  /** Counts proofs; one goes on while it is the last. */
  #proofs = 0;
  #finished = false;
  /** It failed at a step, and the weights before that step are still there. */
  #endable = false;
  readonly #settled: Promise<void>;
  readonly #onKept: (error: ErrorInfo | null) => void;
  #kept = false;
  /** Ends what is read for the run. */
  readonly #unwanted = new AbortController();

  /** Begins at once. The storage may hold another run's checkpoint. `onKept`: the final weights are stored, or could not be. */
  constructor(
    request: RunRequest,
    gpu: Gpu,
    storage: RunStorage,
    emit: (event: RunEvent) => void,
    onKept: (error: ErrorInfo | null) => void = () => undefined,
  ) {
    this.#onKept = onKept;
    this.#gate = new Gate(request.paused, async () => this.#session?.pause());
    this.#emit = (event) => {
      if (event.type === 'done') this.#finished = true;
      // A discarded run sends no more events.
      if (!this.#gate.discarded) emit(event);
    };
    const { runId, model, data, from } = request;
    this.runId = runId;
    this.#checkpoints = new RunCheckpoints(storage, runId, keptSources(model, data), from !== null && !request.ended);
    this.#settled = request.ended ? this.#open(request, gpu, storage.scratch) : this.#run(request, gpu, storage.scratch);
  }

  get gate(): Gate {
    return this.#gate;
  }

  /** The run has ended, and its model can be compared and exported. */
  get finished(): boolean {
    return this.#finished;
  }

  /** It trains no more. */
  get over(): boolean {
    return this.#finished || this.#endable;
  }

  /** After a step that failed: the run ends at the last good one, and its model can be compared and exported. */
  async endAtLastGood(): Promise<void> {
    await this.#uses.run(async () => {
      const session = this.#session;
      if (!session || !this.#endable) return;
      try {
        const report = await session.endAtLastGood();
        await session.keep();
        await this.#leaveCheckpoints();
        this.#emit({ type: 'done', report, stopped: true });
      } catch (thrown) {
        // Its weights are no use either, and their memory is wanted.
        session.close();
        this.#session = null;
        this.#endable = false;
        this.#emit({ type: 'failed', error: errorInfo(thrown), savedStep: session.savedStep });
      }
    });
  }

  /** Resolves when a run that had ended is open, or could not be opened: then it is not finished. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /** Tries again to store the final weights. */
  keep(): Promise<void> {
    return this.#uses.run(() => this.#finishedSession().keep());
  }

  /** From now on checkpoints are written only on request. */
  stopSaving(): void {
    this.#session?.stopSaving();
  }

  /** The tuned model as files, or what training changed. */
  files(what: ExportKind): Promise<ExportedFile[]> {
    return this.#uses.run(async () => {
      const session = this.#finishedSession();
      const type = GGUF_TYPES.find((known) => what === `gguf-${known}`);
      const files = type
        ? await exportRunGguf(session, type)
        : what === 'delta'
          ? await exportDelta(session)
          : (await exportTuned(session, 'f32')).files;
      const made: ExportedFile[] = [];
      for (const file of files) {
        const { data, crc32 } = await blobOf(file);
        made.push({ name: file.path, data, crc32: type ? null : crc32 });
      }
      return made;
    });
  }

  /** Base and tuned model answer; an earlier question gets no more events. Rejects with what went wrong. */
  async compare(request: CompareRequest, onReply: (reply: Reply) => void): Promise<void> {
    this.#comparison ??= new Comparison(this.#finishedSession(), this.#uses);
    await this.#comparison.answer(request, onReply);
  }

  cancelCompare(): void {
    this.#comparison?.cancel();
  }

  /** A newer proof, a new run and cancelProof() end it: it then rejects with Discarded. */
  prove(gpu: Gpu, onProgress: ProveHost['progress']): Promise<ProofLine[]> {
    const turn = ++this.#proofs;
    const check = (): Promise<void> =>
      this.#gate.discarded || turn !== this.#proofs ? Promise.reject(new Discarded()) : Promise.resolve();
    return this.#uses.run(() => proveRun(gpu, this.#finishedSession().inputs, { check, progress: onProgress }));
  }

  cancelProof(): void {
    this.#proofs++;
  }

  #finishedSession(): Session {
    if (!this.#session || !this.#finished) throw new AppError('INTERNAL', 'There is no finished run.', 'Train a model first.');
    return this.#session;
  }

  /** Ends the run without results, waits until it has let go of the GPU, and frees its memory. */
  async close(): Promise<void> {
    this.#gate.discard();
    this.#unwanted.abort();
    await this.#settled;
    await this.#comparison?.close();
    await this.#uses.idle();
    this.#session?.close();
    this.#session = null;
  }

  /** Like close, and removes its checkpoint. */
  async discard(): Promise<void> {
    await this.close();
    await this.#checkpoints.clear();
  }

  async #keep(step: number, file: SafetensorsFile): Promise<void> {
    try {
      await this.#checkpoints.keepFinished(step, file);
      this.#kept = true;
      this.#onKept(null);
    } catch (thrown) {
      if (!this.#gate.discarded) this.#onKept(errorInfo(thrown));
    }
  }

  async #inputs({ config, model, data, places, reader }: RunRequest): Promise<RunInputs> {
    const source = await openModelSource(model, places);
    const progress = (fraction: number): void => this.#emit({ type: 'phase', phase: 'loading', fraction, detail: 'Reading the data' });
    const elsewhere = reader.for({ model, data }, places.base, this.#unwanted.signal, progress);
    return prepareInputs(config, { model: source, elsewhere }, { wanted: () => !this.#gate.discarded });
  }

  /** Never rejects: an error becomes an event. */
  async #open(request: RunRequest, gpu: Gpu, scratch?: OpenScratch): Promise<void> {
    try {
      const inputs = await this.#inputs(request);
      const host = {
        runId: request.runId,
        emit: this.#emit,
        checkpoints: null,
        keep: (step: number, file: SafetensorsFile) => this.#keep(step, file),
        ...(scratch && { scratch }),
        gate: () => Promise.resolve('stop' as const),
        discarded: () => this.#gate.discarded,
      };
      this.#session = await Session.create(gpu, inputs, host, request.from?.reader);
      await this.#session.endAtLastGood();
      this.#finished = !this.#gate.discarded;
    } catch (thrown) {
      this.#session?.close();
      this.#session = null;
      if (!(thrown instanceof Discarded || thrown instanceof Unwanted))
        this.#emit({ type: 'failed', error: errorInfo(thrown), savedStep: null });
    }
  }

  /** What is stored as a whole has nothing to resume; else the last checkpoint is all that a reload would find. */
  async #leaveCheckpoints(): Promise<void> {
    await (this.#kept ? this.#checkpoints.clear() : this.#checkpoints.release()).catch(() => undefined);
  }

  /** Never rejects. */
  async #run(request: RunRequest, gpu: Gpu, scratch?: OpenScratch): Promise<void> {
    const { config, from } = request;
    try {
      this.#emit({ type: 'phase', phase: 'loading' });
      const inputs = await this.#inputs(request);
      // If there is no space yet, the first checkpoint reports it.
      await this.#checkpoints.keepSources().catch(() => undefined);
      if (this.#gate.discarded) throw new Discarded();
      const host = {
        runId: request.runId,
        emit: this.#emit,
        checkpoints: this.#checkpoints,
        keep: (step: number, file: SafetensorsFile) => this.#keep(step, file),
        ...(scratch && { scratch }),
        gate: async () => {
          await request.duty.rest();
          const answer = await this.#gate.ask();
          if (answer === 'go') request.duty.begin();
          return answer;
        },
        rest: (onRest: () => void) => this.#gate.rest(onRest),
        hold: () => this.#gate.pause(),
        discarded: () => this.#gate.discarded,
        proof: 'on request' as const,
        measureExport: true,
      };
      this.#session = await Session.create(gpu, inputs, host, from?.reader);
      if (config.saveEvery === 0) this.#session.stopSaving();
      await Promise.race([this.#session.run(), gpu.lost.then((error) => Promise.reject(error))]);
      await this.#leaveCheckpoints();
    } catch (thrown) {
      const session: Session | null = this.#session;
      const savedStep = session?.savedStep ?? from?.step ?? null;
      const lastGood = session && thrown instanceof AppError && thrown.code === 'NONFINITE_LOSS' ? goodStep(session) : null;
      this.#endable = lastGood !== null;
      if (lastGood === null) {
        session?.close();
        this.#session = null;
      }
      // What cannot be removed now is overwritten later; it is not an error of the run.
      await this.#checkpoints.release().catch(() => undefined);
      if (!(thrown instanceof Discarded || thrown instanceof Unwanted))
        this.#emit({ type: 'failed', error: errorInfo(thrown), savedStep, ...(lastGood !== null && { lastGood }) });
    }
  }
}

/** The step whose weights a failed run still has; null where there is none, or where gradients that are clipped one by one have changed some since. */
const goodStep = ({ lastGoodStep, inputs }: Session): number | null =>
  lastGoodStep > 0 && inputs.config.gradClipMode === 'global' ? lastGoodStep : null;
