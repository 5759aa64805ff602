// The chosen model and data: which of them, and the files as the browser gave them. The worker says what is in the
// files (local-model.ts, inspect.ts).

import { create } from 'zustand';
import { BUILTIN_MODEL } from '../../config/run-config';
import { BUILTIN_DATASETS, type BuiltinData } from '../../io/sources/builtin';
import type { ColumnMap } from '../../data/read/column-map';
import { hubNameText } from '../../io/hub/names';
import { detectShape } from '../../data/read/detect-shape';
import type { ErrorInfo } from '../../base/errors';
import type { ModelFacts } from '../../io/sources/model-facts';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import { recall, remember } from '../remembered';
import { setConfig, useConfigStore } from './config';
import type { LookState } from './hub';

export interface LocalModel {
  readonly name: string;
  readonly files: readonly File[];
  /** Null while the headers are read, or when the model cannot be used. */
  readonly facts: ModelFacts | null;
  readonly error: ErrorInfo | null;
}

export interface SourcesState {
  readonly modelKind: 'builtin' | 'local' | 'hub';
  readonly local: LocalModel | null;
  /** What is known of a hub's model; hub-choice.ts keeps it in step with the look that was asked for last. */
  readonly hub: LookState;
  readonly dataKind: DataKind;
  /** Which of the built-in data sets, if it is one of them. */
  readonly builtin: BuiltinData;
  /** The data file of the chosen kind: what was picked or dropped, or what the pasted text amounts to. */
  readonly file: File | null;
  readonly picked: File | null;
  /** To evaluate on, beside a file or a pasted text; null: a share of the rows. */
  readonly heldOut: File | null;
  readonly pasted: string;
}

export type DataKind = 'builtin' | 'file' | 'paste';

/** Of a first visit: what it teaches is heard after thirty steps. */
const [FIRST_DATA] = BUILTIN_DATASETS;

export const useSourcesStore = create<SourcesState>(() => ({
  modelKind: 'builtin',
  local: null,
  hub: { status: 'none' },
  dataKind: 'builtin',
  builtin: FIRST_DATA,
  file: null,
  picked: null,
  heldOut: null,
  pasted: '',
}));

export function setModelKind(modelKind: SourcesState['modelKind']): void {
  useSourcesStore.setState({ modelKind });
  setConfig({ model: modelName(useSourcesStore.getState()) });
}

/** As the settings call it; '' before one is chosen. */
export function modelName({ modelKind, local, hub }: SourcesState): string {
  if (modelKind === 'builtin') return BUILTIN_MODEL;
  if (modelKind === 'local') return local?.name ?? '';
  return hub.status === 'known' ? hubNameText(hub.preflight.model) : '';
}

export function setDataKind(dataKind: DataKind): void {
  const { dataKind: before, builtin, picked, pasted } = useSourcesStore.getState();
  const file = dataKind === 'file' ? picked : dataKind === 'paste' ? pastedFile(pasted) : null;
  if (before !== dataKind) keepColumns(before, dataKind);
  useSourcesStore.setState({ dataKind, file });
  setConfig({
    data: dataKind === 'builtin' ? builtin.id : (file?.name ?? ''),
    evalData: heldOutOf(useSourcesStore.getState())?.name ?? null,
  });
}

const builtinNamed = (id: unknown): BuiltinData | undefined => BUILTIN_DATASETS.find((each) => each.id === id);

export function chooseBuiltinData(id: string): void {
  useSourcesStore.setState({ builtin: builtinNamed(id) ?? FIRST_DATA });
  remember('builtin-data', id);
  setDataKind('builtin');
}

/** The built-in data of the last visit; of a first one, those with the voice. */
export function loadBuiltinData(): void {
  useSourcesStore.setState({ builtin: recall('builtin-data', builtinNamed) ?? FIRST_DATA });
  setDataKind('builtin');
}

/** The built-in data have an evaluation set of their own. */
const heldOutOf = ({ dataKind, heldOut }: SourcesState): File | null => (dataKind === 'builtin' ? null : heldOut);

/** Null takes a share of the rows again. */
export function chooseHeldOut(heldOut: File | null): void {
  useSourcesStore.setState({ heldOut });
  setConfig({ evalData: heldOutOf(useSourcesStore.getState())?.name ?? null });
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

function chosenModel({ modelKind, local, hub }: SourcesState): ModelSource | null {
  if (modelKind === 'builtin') return { kind: 'builtin', id: BUILTIN_MODEL };
  if (modelKind === 'local') return local?.facts ? { kind: 'files', name: local.name, files: local.files } : null;
  return hub.status === 'known' && hub.preflight.whole ? hub.preflight.model : null;
}

/** What the start command carries; null while something is missing. */
export function chosenSources(state: SourcesState): { readonly model: ModelSource; readonly data: DataSource } | null {
  const model = chosenModel(state);
  const { dataKind, builtin, file } = state;
  const heldOut = heldOutOf(state);
  const data: DataSource | null =
    dataKind === 'builtin' ? { kind: 'builtin', id: builtin.id } : file && { kind: 'file', file, ...(heldOut && { heldOut }) };
  return model && data ? { model, data } : null;
}
