// One run inside the worker: from the page's sources to a session and its events.

import type { RunConfig } from '../config';
import { AppError, errorInfo } from '../errors';
import type { Gpu } from '../gpu/device';
import type { SafetensorsFile } from '../io/safetensors';
import type { CheckpointReader, CheckpointStore } from './checkpoint';
import { exportTuned } from './export-run';
import { Gate } from './gate';
import { prepareInputs } from './prepare';
import type { DataSource, ModelSource, RunEvent } from './protocol';
import { Discarded, Session } from './session';
import { openSources } from './sources';

export interface RunRequest {
  readonly runId: string;
  readonly config: RunConfig;
  readonly model: ModelSource;
  readonly data: DataSource;
  readonly paused: boolean;
  /** The checkpoint to go on from. */
  readonly from: CheckpointReader | null;
  /** Address that built-in files are relative to. */
  readonly base: string;
}

export class WorkerRun {
  readonly #gate: Gate;
  readonly #emit: (event: RunEvent) => void;
  readonly #checkpoints: OwnCheckpoint;
  #session: Session | null = null;
  #finished = false;
  readonly #settled: Promise<void>;

  /** Begins at once. `store` holds one checkpoint, which may be another run's. */
  constructor(request: RunRequest, gpu: Gpu, store: CheckpointStore, emit: (event: RunEvent) => void) {
    this.#gate = new Gate(request.paused, async () => this.#session?.pause());
    this.#emit = (event) => {
      if (event.type === 'done') this.#finished = true;
      // Whoever discarded a run wants to hear nothing more of it.
      if (!this.#gate.discarded) emit(event);
    };
    this.#checkpoints = new OwnCheckpoint(store, request.from !== null);
    this.#settled = this.#run(request, gpu);
  }

  get gate(): Gate {
    return this.#gate;
  }

  /** From now on only those checkpoints are written that are asked for. */
  stopSaving(): void {
    this.#session?.stopSaving();
  }

  async files(): Promise<{ name: string; data: Uint8Array<ArrayBuffer> }[]> {
    if (!this.#session || !this.#finished) throw new AppError('INTERNAL', 'There is no finished run to export.', '');
    const { files } = await exportTuned(this.#session, 'f32');
    const made: { name: string; data: Uint8Array<ArrayBuffer> }[] = [];
    for (const file of files) {
      const data = new Uint8Array(file.size);
      let at = 0;
      for await (const chunk of file.chunks()) {
        data.set(chunk, at);
        at += chunk.byteLength;
      }
      made.push({ name: file.path, data });
    }
    return made;
  }

  /** Ends the run without results, waits until it has let go of the GPU, and frees its memory. */
  async close(): Promise<void> {
    this.#gate.discard();
    await this.#settled;
    this.#session?.close();
    this.#session = null;
  }

  /** Like close, and takes its checkpoint away. */
  async discard(): Promise<void> {
    await this.close();
    await this.#checkpoints.clear();
  }

  /** Never rejects. */
  async #run(request: RunRequest, gpu: Gpu): Promise<void> {
    const { config, from } = request;
    try {
      this.#emit({ type: 'phase', phase: 'loading' });
      const inputs = await prepareInputs(config, await openSources(request.model, request.data, request.base));
      if (this.#gate.discarded) return;
      const host = {
        runId: request.runId,
        emit: this.#emit,
        checkpoints: this.#checkpoints,
        gate: () => this.#gate.ask(),
        hold: () => this.#gate.pause(),
        discarded: () => this.#gate.discarded,
        proof: 'on request' as const,
      };
      this.#session = await Session.create(gpu, inputs, host, from);
      if (config.saveEvery === 0) this.#session.stopSaving();
      await Promise.race([this.#session.run(), gpu.lost.then((error) => Promise.reject(error))]);
      // A run that came to its end has nothing to go on with. One that cannot be taken away is no fault of the run.
      await this.#checkpoints.clear().catch(() => undefined);
    } catch (thrown) {
      const savedStep = this.#session?.savedStep ?? null;
      this.#session?.close();
      this.#session = null;
      if (!(thrown instanceof Discarded)) this.#emit({ type: 'failed', error: errorInfo(thrown), savedStep });
    }
  }
}

/** The page's one checkpoint as a run sees it: it takes away what it wrote or went on from, and no other run's. */
class OwnCheckpoint implements CheckpointStore {
  readonly #store: CheckpointStore;
  #own: boolean;

  constructor(store: CheckpointStore, own: boolean) {
    this.#store = store;
    this.#own = own;
  }

  async write(step: number, file: SafetensorsFile): Promise<void> {
    await this.#store.write(step, file);
    this.#own = true;
  }

  open(): Promise<CheckpointReader | null> {
    return this.#own ? this.#store.open() : Promise.resolve(null);
  }

  async clear(): Promise<void> {
    if (this.#own) await this.#store.clear();
  }
}
