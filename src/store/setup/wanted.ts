// The model and the data that a link or a settings file names: what is here is chosen, and what is not is asked for. Nothing is sent
// or downloaded before a person clicks.

import { create } from 'zustand';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../../io/sources/builtin';
import { looksLikeHubName, parseHubName } from '../../io/hub/names';
import { adoptHubName } from './hub-choice';
import { chooseBuiltinData, setDataKind, setModelKind, useSourcesStore } from './sources';

/** Names that are asked for, until something is chosen in their place. */
export const useWanted = create<{ readonly model: string | null; readonly data: string | null }>(() => ({ model: null, data: null }));

/** As settings, links and model cards call it. */
export function wantModel(name: string): void {
  if (name === '') return;
  useWanted.setState({ model: null });
  if (BUILTIN_MODELS.some(({ id }) => id === name)) return setModelKind('builtin');
  if (useSourcesStore.getState().local?.name === name) return setModelKind('local');
  if (looksLikeHubName(name)) {
    try {
      return adoptHubName(parseHubName(name));
    } catch {
      // Not a name that a hub has; then it is a folder's.
    }
  }
  setModelKind('local');
  useSourcesStore.setState({ local: null });
  setModelKind('local');
  useWanted.setState({ model: name });
}

export function wantData(name: string): void {
  if (name === '') return;
  useWanted.setState({ data: null });
  if (BUILTIN_DATASETS.some(({ id }) => id === name)) return chooseBuiltinData(name);
  if (useSourcesStore.getState().picked?.name === name) return setDataKind('file');
  useSourcesStore.setState({ picked: null });
  setDataKind('file');
  useWanted.setState({ data: name });
}

/** Forgets a name once something was chosen instead. Returns the function that ends it. */
export const watchWanted = (): (() => void) =>
  useSourcesStore.subscribe(({ modelKind, local, dataKind, file }) => {
    const { model, data } = useWanted.getState();
    if (model !== null && (modelKind !== 'local' || local)) useWanted.setState({ model: null });
    if (data !== null && (dataKind !== 'file' || file)) useWanted.setState({ data: null });
  });

/** `?model=org/name&dataset=org/name`, as model cards link to the page. */
export function readQuery(search: string): boolean {
  const said = new URLSearchParams(search);
  const [model, data] = [said.get('model')?.trim(), said.get('dataset')?.trim()];
  if (model) wantModel(model);
  if (data) wantData(data);
  return Boolean(model ?? data);
}
