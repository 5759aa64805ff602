// Where the page keeps the one unfinished run that it can resume: its checkpoint, and beside it those of its sources
// that a reloaded page cannot open again by itself. Rules only; io/opfs-*.ts keep the bytes.

import { AppError } from '../base/errors';
import type { SafetensorsFile } from '../io/formats/safetensors';
import type { Exclusive } from '../io/browser/tab-lock';
import type { CheckpointReader, CheckpointStorage } from '../io/formats/checkpoints';
import type { OpenScratch } from '../io/formats/scratch';
import type { FinishedStorage } from '../io/sources/finished';
import type { DataSource, KeptSources, ModelSource, SourceStorage } from '../io/sources/run-sources';

export interface RunStorage {
  readonly checkpoints: CheckpointStorage;
  readonly sources: SourceStorage;
  /** Models of runs that have ended. */
  readonly finished: FinishedStorage;
  /** Opens a file for the full precision of layers whose base is quantised; by default in memory. */
  readonly scratch?: OpenScratch;
  /** The lock on this storage among the tabs of the page. A run that keeps checkpoints holds it. */
  readonly lock: Exclusive;
}

/** A data file above this is not copied. */
export const MOST_KEPT_BYTES = 100e6;

export const keptSources = (model: ModelSource, data: DataSource): KeptSources => ({
  model: model.kind === 'files' ? { kind: 'files', name: model.name } : model,
  data,
});

/** The storage as one run sees it: a checkpoint comes with its sources, and it clears only its own. */
export class RunCheckpoints implements CheckpointStorage {
  readonly #storage: RunStorage;
  readonly #runId: string;
  readonly #sources: KeptSources;
  #kept: boolean;
  /** The checkpoint in the storage is of this run. */
  #own: boolean;

  /** `resumed`: the run continues from the checkpoint in the storage. */
  constructor(storage: RunStorage, runId: string, sources: KeptSources, resumed: boolean) {
    this.#storage = storage;
    this.#runId = runId;
    this.#sources = sources;
    this.#kept = this.#own = resumed;
  }

  /** Called at the run's start, while the file is still as it was read, and again before a checkpoint if that failed. Throws STORAGE. */
  async keepSources(): Promise<void> {
    await this.#claim();
    if (this.#kept) return;
    checkSize(this.#sources.data, 'Continue without checkpoints, or train on a part of the data.');
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

  /** Stores the final weights, with what is needed to open them again. Throws STORAGE; then the last checkpoint is still there. */
  async keepFinished(step: number, file: SafetensorsFile): Promise<void> {
    // The file that was picked may have changed on disk since; the copy has not.
    const sources = (await this.#storage.sources.open(this.#runId)) ?? this.#sources;
    checkSize(sources.data, 'Download the model before you close the page.');
    await this.#storage.finished.keep(this.#runId, step, sources, file);
  }

  open(): Promise<CheckpointReader | null> {
    return this.#own ? this.#storage.checkpoints.open() : Promise.resolve(null);
  }

  /** Called when the run has ended unfinished: sources without a checkpoint are of no use. */
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

function checkSize(data: DataSource, remedy: string): void {
  const size = data.kind === 'file' ? data.file.size + (data.heldOut?.size ?? 0) : 0;
  if (data.kind !== 'file' || size <= MOST_KEPT_BYTES) return;
  throw new AppError(
    'STORAGE',
    `${data.file.name} has ${megabytes(size)}${data.heldOut ? ` with ${data.heldOut.name}` : ''}. To open a run again, the page keeps a copy of its data, of at most ${megabytes(MOST_KEPT_BYTES)}.`,
    remedy,
  );
}

export const otherTab = (): AppError =>
  new AppError(
    'STORAGE',
    'Another tab of this page is training a model, and both would store their checkpoints in the same place.',
    'Close the other tab, or continue without checkpoints.',
  );

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
