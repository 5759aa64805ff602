// A model's folder or files on this machine: the worker reads its config and the headers of its weights at once, so that
// its memory can be shown before anything is loaded. Nothing is copied, and nothing leaves the page.

import type { Event } from '../../worker/protocol';
import { send } from '../link';
import { useDeviceStore } from '../run/device';
import { setModelKind, useSourcesStore } from './sources';

/** Number of the newest question; answers to older ones are about another folder. */
let latest = 0;

const pathOf = (file: File): string => file.webkitRelativePath || file.name;

/** A folder as the browser's dialog gives it: paths start with the folder's name; files of its subfolders are not part of a model. */
export function chooseModelFolder(chosen: readonly File[]): void {
  const name = chosen[0] && pathOf(chosen[0]).split('/')[0];
  chooseModel(
    name || 'model',
    chosen.filter((file) => pathOf(file).split('/').length <= 2),
  );
}

/** Files of one folder, chosen or dropped. */
export function chooseModel(name: string, files: readonly File[]): void {
  useSourcesStore.setState({ local: { name, files, facts: null, error: null } });
  setModelKind('local');
  examine(name, files);
}

const examine = (name: string, files: readonly File[]): void =>
  send({ type: 'examine', id: ++latest, model: { kind: 'files', name, files } });

export function takeExamination(event: Extract<Event, { type: 'examined' | 'examineFailed' }>): void {
  if (event.id !== latest) return;
  const found = event.type === 'examined' ? { facts: event.facts, error: null } : { facts: null, error: event.error };
  useSourcesStore.setState(({ local }) => ({ local: local && { ...local, ...found } }));
}

/** A restarted worker has forgotten what it was asked, so it is asked again. Returns the function that ends it. */
export const watchLocalModel = (): (() => void) =>
  useDeviceStore.subscribe(({ device }, before) => {
    const { local } = useSourcesStore.getState();
    if (device.status === 'opening' && device !== before.device && local && !local.facts && !local.error) examine(local.name, local.files);
  });
