// What a command names as model and data, as files to read.

import type { DataStream } from '../data/read/text-stream';
import { AppError } from '../base/errors';
import { guardedFetch } from '../io/browser/guarded-fetch';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../io/sources/builtin';
import { fetchSource } from '../io/sources/fetch-source';
import { fileListSource } from '../io/sources/file-list-source';
import type { FileSource } from '../io/sources/file-source';
import { orGguf } from '../io/sources/gguf-source';
import type { ModelCache } from '../io/hub/model-cache';
import type { DataBytes, RunFiles } from '../train/prepare';
import type { DataSource, ModelSource } from '../io/sources/run-sources';

/** What a source may be relative to, or lie in. */
export interface SourcePlaces {
  /** The address that built-in files are relative to. */
  readonly base: string;
  readonly models: ModelCache;
}

/** Throws MODEL_FILE if the model of a hub is not complete in the cache. */
export async function openModelSource(model: ModelSource, { base, models }: SourcePlaces): Promise<FileSource> {
  if (model.kind === 'hub') {
    const cached = await models.find(model);
    if (cached?.whole) return cached.source();
    throw new AppError('MODEL_FILE', `${model.repo} is not downloaded.`, 'Download it first.');
  }
  if (model.kind === 'files') return orGguf(fileListSource(model.files, model.name));
  const builtin = BUILTIN_MODELS.find(({ id }) => id === model.id);
  if (!builtin) throw new AppError('MODEL_FILE', `There is no built-in model ${model.id}.`, 'Choose another model.');
  return fetchSource(builtin.id, new URL(builtin.path, base).href, builtin.files, guardedFetch);
}

export async function openDataSource(data: DataSource, base: string): Promise<Pick<RunFiles, 'data' | 'evalData'>> {
  if (data.kind === 'file') return { data: fileStream(data.file), evalData: data.heldOut ? fileStream(data.heldOut) : null };
  const builtin = BUILTIN_DATASETS.find(({ id }) => id === data.id);
  if (!builtin) throw new AppError('DATASET_READ', `There is no built-in data ${data.id}.`, 'Choose other data.');
  return { data: await fetchData(builtin.train, base), evalData: await fetchData(builtin.evaluation, base) };
}

async function fetchData(path: string, base: string): Promise<DataBytes> {
  const response = await guardedFetch(new URL(path, base)).catch(() => null);
  if (!response?.ok) throw new AppError('DATASET_READ', `The built-in data ${path} could not be loaded.`, 'Reload the page.');
  return { name: path.replace(/^.*\//, ''), bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** Read as it is needed, and as often. */
function fileStream(file: File): DataStream {
  return {
    name: file.name,
    size: file.size,
    read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
    async *chunks() {
      const reader = file.stream().getReader();
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          yield value;
        }
      } catch (cause) {
        throw new AppError('DATASET_READ', `${file.name} cannot be read.`, 'Choose the file again.', { cause });
      } finally {
        // The file may not have been read to its end.
        await reader.cancel().catch(() => undefined);
      }
    },
  };
}
