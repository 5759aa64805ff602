// One run inside the worker: from the page's sources to a session and its events.

import { BUILTIN_DATA, BUILTIN_MODEL, type RunConfig } from '../config';
import { AppError, errorInfo } from '../errors';
import type { Gpu } from '../gpu/device';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../io/builtin';
import { fetchSource } from '../io/fetch-source';
import { fileListSource } from '../io/file-list-source';
import { OpfsCheckpoints } from '../io/opfs-checkpoints';
import type { CheckpointReader } from './checkpoint';
import { exportTuned } from './export-run';
import { Gate } from './gate';
import { prepareInputs, type DataBytes, type RunFiles } from './prepare';
import type { DataSource, ModelSource, RunEvent } from './protocol';
import { Discarded, Session } from './session';

export const pageCheckpoints = (): OpfsCheckpoints => new OpfsCheckpoints('checkpoint');

/** Sources that a reloaded page can open again by itself. */
export const canReopen = (config: RunConfig): boolean => config.model === BUILTIN_MODEL && config.data === BUILTIN_DATA;

async function fetchData(path: string, base: string): Promise<DataBytes> {
  const response = await fetch(new URL(path, base)).catch(() => null);
  if (!response?.ok) throw new AppError('DATASET_READ', `The built-in data ${path} could not be loaded.`, 'Reload the page.');
  return { name: path.replace(/^.*\//, ''), bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function openSources({ model, data, base }: RunRequest): Promise<RunFiles> {
  const builtinModel = model.kind === 'builtin' ? BUILTIN_MODELS.find((m) => m.id === model.id) : undefined;
  const builtinData = data.kind === 'builtin' ? BUILTIN_DATASETS.find((d) => d.id === data.id) : undefined;
  if (model.kind === 'builtin' && !builtinModel)
    throw new AppError('MODEL_FILE', `There is no built-in model ${model.id}.`, 'Choose another model.');
  if (data.kind === 'builtin' && !builtinData)
    throw new AppError('DATASET_READ', `There is no built-in data ${data.id}.`, 'Choose other data.');
  return {
    model: builtinModel
      ? fetchSource(builtinModel.id, new URL(builtinModel.path, base).href, builtinModel.files)
      : fileListSource(model.kind === 'files' ? model.files : [], model.kind === 'files' ? model.name : undefined),
    data: data.kind === 'file' ? { name: data.file.name, bytes: await readFile(data.file) } : await fetchData(builtinData!.train, base),
    evalData: builtinData ? await fetchData(builtinData.evaluation, base) : null,
  };
}

async function readFile(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new AppError('DATASET_READ', `${file.name} cannot be read.`, 'Choose the file again.', { cause });
  }
}

export interface RunRequest {
  readonly runId: string;
  readonly config: RunConfig;
  readonly model: ModelSource;
  readonly data: DataSource;
  readonly paused: boolean;
  readonly from: CheckpointReader | null;
  /** Address that built-in files are relative to. */
  readonly base: string;
}

export class WorkerRun {
  readonly #gate: Gate;
  readonly #emit: (event: RunEvent) => void;
  #session: Session | null = null;
  #finished = false;
  readonly #settled: Promise<void>;

  constructor(request: RunRequest, gpu: Gpu, emit: (event: RunEvent) => void) {
    this.#emit = emit;
    this.#gate = new Gate(
      request.paused,
      async () => {
        await this.#session?.drain();
        emit({ type: 'phase', phase: 'paused' });
      },
      () => {
        this.#session?.resumeAfterPause();
        emit({ type: 'phase', phase: 'training' });
      },
    );
    this.#settled = this.#run(request, gpu);
  }

  get gate(): Gate {
    return this.#gate;
  }

  /** A run that can be exported and closed. */
  get finished(): boolean {
    return this.#finished;
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

  async #run(request: RunRequest, gpu: Gpu): Promise<void> {
    const { config, from } = request;
    try {
      this.#emit({ type: 'phase', phase: 'loading' });
      const inputs = await prepareInputs(config, await openSources(request));
      const checkpoints = config.saveEvery > 0 && canReopen(config) ? pageCheckpoints() : null;
      const host = {
        runId: request.runId,
        emit: this.#emit,
        checkpoints,
        gate: () => this.#gate.ask(),
        discarded: () => this.#gate.discarded,
      };
      this.#session = await Session.create(gpu, inputs, host, from);
      await Promise.race([this.#session.run(), gpu.lost.then((error) => Promise.reject(error))]);
      this.#finished = true;
      // A run that came to its end has nothing to go on with.
      await checkpoints?.clear();
    } catch (thrown) {
      const savedStep = this.#session?.savedStep ?? null;
      this.#session?.close();
      this.#session = null;
      if (!(thrown instanceof Discarded)) this.#emit({ type: 'failed', error: errorInfo(thrown), savedStep });
    }
  }
}
