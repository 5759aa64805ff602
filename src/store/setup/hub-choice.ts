// The set-up's side of a hub's models: the name in its field, and its look-up as one of the sources that a run can
// have. A link fills the field but sends no request: only a person's click does.

import { create } from 'zustand';
import { hubNameText, parseHubName, type HubName } from '../../io/hub/names';
import { AppError, errorInfo } from '../../base/errors';
import type { HubModel } from '../../io/hub/types';
import { setConfig } from './config';
import { useDeviceStore } from '../run/device';
import { cancelDownload, deleteModel, downloadHubModel, forgetLook, listModels, lookAt, lookAtStored, sameModel, useHubStore } from './hub';
import { modelName, setModelKind, useSourcesStore } from './sources';

export interface HubNameState {
  /** As typed or pasted. */
  readonly text: string;
  /** As typed under 'advanced'; '' for the revision in the name, or the default one. */
  readonly revision: string;
}

export const useHubName = create<HubNameState>(() => ({ text: '', revision: '' }));

/** Another name is another model: what was known of the old one leaves the set-up. */
export function setHubName(patch: Partial<HubNameState>): void {
  useHubName.setState(patch);
  if (useHubStore.getState().look.status !== 'none') forgetLook();
}

/** From a link. */
export function adoptHubName({ repo, revision }: HubName): void {
  const usual = hubNameText({ repo, revision }) === repo;
  setHubName({ text: repo, revision: usual ? '' : revision });
  setModelKind('hub');
}

/** Tokens of the Hub begin like this. A token that was pasted into the wrong field is not sent anywhere. */
const LIKE_TOKEN = /^hf_[A-Za-z0-9]{20,}$/;

/** The name in the field, with the revision beside it. Throws HUB_NAME. */
function typedName(): HubName {
  const { text, revision } = useHubName.getState();
  if (LIKE_TOKEN.test(text.trim()))
    throw new AppError('HUB_NAME', 'This looks like a token, not like a model.', 'Enter the token under “Revision, mirror, token”.');
  const name = parseHubName(text, useHubStore.getState().url);
  return revision.trim() === '' ? name : parseHubName(`${name.repo}@${revision.trim()}`);
}

export function lookUp(): void {
  try {
    lookAt(hubNameText(typedName()));
  } catch (thrown) {
    forgetLook();
    useHubStore.setState({ look: { status: 'failed', error: errorInfo(thrown) } });
  }
}

/** A model that is known by name. */
export function lookUpNamed(repo: string): void {
  setHubName({ text: repo, revision: '' });
  setModelKind('hub');
  lookUp();
}

/** A model from the list of those on this device. */
export function takeStoredModel(model: HubModel): void {
  useHubName.setState({ text: model.repo, revision: hubNameText(model) === model.repo ? '' : model.revision });
  setModelKind('hub');
  lookAtStored(model);
}

/** Chooses the model and continues its download where an earlier one ended. */
export function goOnWithDownload(model: HubModel): void {
  takeStoredModel(model);
  downloadHubModel(model);
}

/** What the address of the page says about it; null unless a hub's model is chosen and its name is valid. */
export function hubNameInUse(): HubName | null {
  if (useSourcesStore.getState().modelKind !== 'hub') return null;
  try {
    return typedName();
  } catch {
    return null; // half typed
  }
}

/** Removes what has arrived of it, whether this page downloaded it or an earlier one. */
export function removeArrived(model: HubModel): void {
  const { download } = useHubStore.getState();
  if (download && sameModel(download.model, model) && download.phase !== 'done') cancelDownload();
  else deleteModel(model);
}

/** Keeps the sources in step with the look, and asks once what is stored. Returns the function that ends it. */
export function watchHubChoice(): () => void {
  const ends = [
    useHubStore.subscribe(({ look }, before) => {
      if (look === before.look) return;
      useSourcesStore.setState({ hub: look });
      const sources = useSourcesStore.getState();
      if (sources.modelKind === 'hub') setConfig({ model: modelName(sources) });
    }),
    useDeviceStore.subscribe(({ device }, before) => {
      if (device.status !== 'opening' && before.device.status === 'opening') listModels();
    }),
  ];
  return () => ends.forEach((end) => end());
}
