// Where the page keeps the one unfinished run that it can go on with: its checkpoint, and beside it those of its sources
// that a reloaded page cannot open again by itself. Rules only; io/opfs-*.ts keep the bytes.

import { AppError } from '../base/errors';
import type { SafetensorsFile } from '../io/formats/safetensors';
import type { Exclusive } from '../io/browser/tab-lock';
import type { CheckpointReader, CheckpointStore } from '../io/formats/checkpoints';
import type { DataSource, KeptSources, ModelSource, SourceStorage } from '../io/sources/run-sources';

export interface RunStorage {
  readonly checkpoints: CheckpointStore;
  readonly sources: SourceStorage;
  /** Of this storage, among the tabs of the page. A run that keeps checkpoints holds it. */
  readonly lock: Exclusive;
}

/** A data file above this is not copied. */
export const MOST_KEPT_BYTES = 100e6;

export const keptSources = (model: ModelSource, data: DataSource): KeptSources => ({
  model: model.kind === 'files' ? { kind: 'files', name: model.name } : model,
  data,
});

/** The storage as one run sees it: a checkpoint comes with its sources, and it clears what is its own and no other run's. */
export class RunCheckpoints implements CheckpointStore {
  readonly #storage: RunStorage;
  readonly #runId: string;
  readonly #sources: KeptSources;
  #kept: boolean;
  /** The checkpoint in the storage is of this run. */
  #own: boolean;

  /** `resumed`: the run goes on from the checkpoint in the storage. */
  constructor(storage: RunStorage, runId: string, sources: KeptSources, resumed: boolean) {
    this.#storage = storage;
    this.#runId = runId;
    this.#sources = sources;
    this.#kept = this.#own = resumed;
  }

  /** At the run's start, as long as the file is as it was read, and again before a checkpoint if that failed. Throws STORAGE. */
  async keepSources(): Promise<void> {
    await this.#claim();
    if (this.#kept) return;
    const { data } = this.#sources;
    const size = data.kind === 'file' ? data.file.size + (data.heldOut?.size ?? 0) : 0;
    if (data.kind === 'file' && size > MOST_KEPT_BYTES) {
      throw new AppError(
        'STORAGE',
        `${data.file.name} has ${megabytes(size)}${data.heldOut ? ` with ${data.heldOut.name}` : ''}. To resume a run, the page keeps a copy of its data with the checkpoint, of at most ${megabytes(MOST_KEPT_BYTES)}.`,
        'Continue without checkpoints, or train on a part of the data.',
      );
    }
    await this.#storage.sources.keep(this.#runId, this.#sources);
    this.#kept = true;
  }

  async write(step: number, file: SafetensorsFile): Promise<void> {
    await this.keepSources();
    await this.#storage.checkpoints.write(step, file);
    if (this.#own) return;
    this.#own = true;
    await this.#storage.sources.keepOnly(this.#runId);
  }

  open(): Promise<CheckpointReader | null> {
    return this.#own ? this.#storage.checkpoints.open() : Promise.resolve(null);
  }

  /** When the run has ended without being finished: sources without a checkpoint are of no use. */
  async release(): Promise<void> {
    if (!this.#own) await this.clear();
    this.#storage.lock.release();
  }

  async clear(): Promise<void> {
    if (this.#own) await this.#storage.checkpoints.clear();
    if (this.#kept) await this.#storage.sources.remove(this.#runId);
    this.#own = this.#kept = false;
    this.#storage.lock.release();
  }

  /** Throws STORAGE. */
  async #claim(): Promise<void> {
    if (!(await this.#storage.lock.acquire())) throw otherTab();
  }
}

export const otherTab = (): AppError =>
  new AppError(
    'STORAGE',
    'Another tab of this page is running a training, and both would store their checkpoints in the same place.',
    'Close the other tab, or continue without checkpoints.',
  );

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
