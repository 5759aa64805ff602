// The chosen model and data. A local folder's config.json is read at once, so that its memory can be shown
// before anything is loaded; everything else of it is read by the worker when the run starts.

import { create } from 'zustand';
import { BUILTIN_DATA, BUILTIN_MODEL, type ColumnMap } from '../config';
import { detectShape } from '../data/detect-shape';
import { AppError, errorInfo, type ErrorInfo } from '../errors';
import { parseModelConfig } from '../model/config';
import type { ModelShape } from '../model/types';
import type { DataSource, ModelSource } from '../train/protocol';
import { setConfig, useConfigStore } from './config';

export interface LocalModel {
  readonly name: string;
  readonly files: readonly File[];
  readonly bytes: number;
  /** Null while config.json is read, or when it could not be. */
  readonly shape: ModelShape | null;
  readonly error: ErrorInfo | null;
}

export interface SourcesState {
  readonly modelKind: 'builtin' | 'local';
  readonly local: LocalModel | null;
  readonly dataKind: DataKind;
  /** The data file of the chosen kind: what was picked or dropped, or what the pasted text amounts to. */
  readonly file: File | null;
  readonly picked: File | null;
  readonly pasted: string;
}

export type DataKind = 'builtin' | 'file' | 'paste';

export const useSourcesStore = create<SourcesState>(() => ({
  modelKind: 'builtin',
  local: null,
  dataKind: 'builtin',
  file: null,
  picked: null,
  pasted: '',
}));

export function setModelKind(modelKind: SourcesState['modelKind']): void {
  useSourcesStore.setState({ modelKind });
  setConfig({ model: modelKind === 'builtin' ? BUILTIN_MODEL : (useSourcesStore.getState().local?.name ?? '') });
}

export function setDataKind(dataKind: DataKind): void {
  const { dataKind: before, picked, pasted } = useSourcesStore.getState();
  const file = dataKind === 'file' ? picked : dataKind === 'paste' ? pastedFile(pasted) : null;
  if (before !== dataKind) keepColumns(before, dataKind);
  useSourcesStore.setState({ dataKind, file });
  setConfig({ data: dataKind === 'builtin' ? BUILTIN_DATA : (file?.name ?? '') });
}

/** Picked, or dropped on the page. */
export function chooseDataFile(picked: File): void {
  const before = useSourcesStore.getState().picked;
  useSourcesStore.setState({ picked });
  setDataKind('file');
  // Another file has other columns.
  if (before && before.name !== picked.name) mapColumns(null);
}

export function pasteData(pasted: string): void {
  useSourcesStore.setState({ pasted });
  setDataKind('paste');
}

/** Its name says how the text is written. */
function pastedFile(text: string): File | null {
  return text.trim() === '' ? null : new File([text], `pasted.${detectShape(text)}`);
}

export function mapColumns(columns: ColumnMap | null): void {
  if (useConfigStore.getState().config.columns !== columns) setConfig({ columns });
}

/** A map belongs to its data: it leaves and comes back with them. One that came with imported settings waits for a file. */
function keepColumns(before: DataKind, next: DataKind): void {
  const { columns } = useConfigStore.getState().config;
  if (before !== 'builtin') maps.set(before, columns);
  const known = maps.get(next);
  if (next === 'builtin') mapColumns(null);
  else if (known !== undefined || before !== 'builtin') mapColumns(known ?? null);
}

const maps = new Map<DataKind, ColumnMap | null>();

/** A folder as the browser gives it: paths start with the folder's name; files of subfolders are left out. */
export async function chooseModelFolder(chosen: readonly File[]): Promise<void> {
  const files = chosen.filter((file) => pathOf(file).split('/').length <= 2);
  const first = files[0] ?? chosen[0];
  const name = (first && pathOf(first).split('/')[0]) || 'model';
  const model: LocalModel = { name, files, bytes: files.reduce((sum, file) => sum + file.size, 0), shape: null, error: null };
  useSourcesStore.setState({ local: model });
  setModelKind('local');
  const read = await readShape(files).then(
    (shape) => ({ shape, error: null }),
    (thrown: unknown) => ({ shape: null, error: errorInfo(thrown) }),
  );
  // Another folder may have been chosen meanwhile.
  if (useSourcesStore.getState().local === model) useSourcesStore.setState({ local: { ...model, ...read } });
}

const pathOf = (file: File): string => file.webkitRelativePath || file.name;

async function readShape(files: readonly File[]): Promise<ModelShape> {
  const find = (test: (name: string) => boolean): File | undefined => files.find((file) => test(file.name));
  const config = find((name) => name === 'config.json');
  const remedy = 'Choose a folder with config.json, tokenizer.json and the .safetensors files of a GPT-2 or Llama-like model.';
  if (!config) throw new AppError('MODEL_FILE', 'The folder has no config.json.', remedy);
  let json: unknown;
  try {
    json = JSON.parse(await config.text());
  } catch (cause) {
    throw new AppError('MODEL_CONFIG', 'config.json is not valid JSON.', 'Download the file again.', { cause });
  }
  const shape = parseModelConfig(json, 'config.json');
  if (!find((name) => name.endsWith('.safetensors'))) throw new AppError('MODEL_FILE', 'The folder has no .safetensors file.', remedy);
  if (!find((name) => name === 'tokenizer.json')) throw new AppError('MODEL_FILE', 'The folder has no tokenizer.json.', remedy);
  return shape;
}

/** What the start command carries; null while something is missing. */
export function chosenSources(state: SourcesState): { readonly model: ModelSource; readonly data: DataSource } | null {
  const model: ModelSource | null =
    state.modelKind === 'builtin'
      ? { kind: 'builtin', id: BUILTIN_MODEL }
      : state.local?.shape
        ? { kind: 'files', name: state.local.name, files: state.local.files }
        : null;
  const data: DataSource | null =
    state.dataKind === 'builtin' ? { kind: 'builtin', id: BUILTIN_DATA } : state.file ? { kind: 'file', file: state.file } : null;
  return model && data ? { model, data } : null;
}
