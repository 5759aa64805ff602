// What a command names as model and data, as files to read.

import { AppError } from '../errors';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../io/builtin';
import { fetchSource } from '../io/fetch-source';
import { fileListSource } from '../io/file-list-source';
import type { FileSource } from '../io/file-source';
import type { DataBytes, RunFiles } from './prepare';
import type { DataSource, ModelSource } from './protocol';

/** `base`: the address that built-in files are relative to. */
export async function openSources(model: ModelSource, data: DataSource, base: string): Promise<RunFiles> {
  return { model: openModelSource(model, base), ...(await openDataSource(data, base)) };
}

function openModelSource(model: ModelSource, base: string): FileSource {
  if (model.kind === 'files') return fileListSource(model.files, model.name);
  const builtin = BUILTIN_MODELS.find(({ id }) => id === model.id);
  if (!builtin) throw new AppError('MODEL_FILE', `There is no built-in model ${model.id}.`, 'Choose another model.');
  return fetchSource(builtin.id, new URL(builtin.path, base).href, builtin.files);
}

async function openDataSource(data: DataSource, base: string): Promise<Pick<RunFiles, 'data' | 'evalData'>> {
  if (data.kind === 'file') return { data: { name: data.file.name, bytes: await readFile(data.file) }, evalData: null };
  const builtin = BUILTIN_DATASETS.find(({ id }) => id === data.id);
  if (!builtin) throw new AppError('DATASET_READ', `There is no built-in data ${data.id}.`, 'Choose other data.');
  return { data: await fetchData(builtin.train, base), evalData: await fetchData(builtin.evaluation, base) };
}

async function fetchData(path: string, base: string): Promise<DataBytes> {
  const response = await fetch(new URL(path, base)).catch(() => null);
  if (!response?.ok) throw new AppError('DATASET_READ', `The built-in data ${path} could not be loaded.`, 'Reload the page.');
  return { name: path.replace(/^.*\//, ''), bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function readFile(file: File): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new AppError('DATASET_READ', `${file.name} cannot be read.`, 'Choose the file again.', { cause });
  }
}
