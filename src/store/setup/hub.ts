// Models of a hub as the page sees them: the address and token, the look at one, its download, and what is stored. The
// worker does the work. The address is kept for the next visit; the token is in this store and in the worker's memory
// only, and a reload forgets it.

import { create } from 'zustand';
import { guardedFetch } from '../../io/browser/guarded-fetch';
import { DEFAULT_HUB, parseHubName, parseHubUrl, parseToken } from '../../io/hub/names';
import { errorInfo, unreachable, type ErrorInfo } from '../../base/errors';
import type { HubEvent } from '../../worker/protocol-hub';
import type { DownloadState, HubModel, StorageEstimate, StoredModel, Preflight } from '../../io/hub/types';
import { useDeviceStore } from '../run/device';
import { send } from '../link';
import { recall, remember } from '../remembered';

export type LookState =
  | { readonly status: 'none' }
  | { readonly status: 'looking'; readonly id: number; readonly repo: string; readonly revision: string; readonly commit?: string }
  | { readonly status: 'known'; readonly preflight: Preflight }
  | { readonly status: 'failed'; readonly error: ErrorInfo };

export interface HubState {
  readonly url: string;
  /** Where models come from by default: the address that this page was served with. */
  readonly usualUrl: string;
  readonly hasToken: boolean;
  readonly look: LookState;
  /** The download under way, or the last one; null before the first. */
  readonly download: DownloadState | null;
  /** Null until the list has come once. */
  readonly models: readonly StoredModel[] | null;
  readonly storage: StorageEstimate | null;
  readonly modelsError: ErrorInfo | null;
}

export const useHubStore = create<HubState>(() => ({
  url: DEFAULT_HUB,
  usualUrl: DEFAULT_HUB,
  hasToken: false,
  look: { status: 'none' },
  download: null,
  models: null,
  storage: null,
  modelsError: null,
}));

/** Not in any state that is shown, stored or logged. */
let token: string | null = null;
let looks = 0;

const { getState: hub, setState: set } = useHubStore;

/** Tells the worker the hub's address, at the start and again after a restart. Returns the function that ends it. */
export function watchHub(): () => void {
  const url = recall('hub', asUrl);
  if (url !== undefined) set({ url });
  void usualAddress()
    .then((usualUrl) => set({ usualUrl, ...(url === undefined && { url: usualUrl }) }))
    .then(introduce);
  return useDeviceStore.subscribe(({ device }, before) => {
    if (device.status === 'opening' && device !== before.device) restarted();
  });
}

export function takeHubEvent(event: HubEvent): void {
  switch (event.type) {
    case 'preflight':
      if (isAwaited(event.id)) set({ look: { status: 'known', preflight: event.preflight } });
      break;
    case 'preflightFailed':
      if (isAwaited(event.id)) set({ look: { status: 'failed', error: event.error } });
      break;
    case 'download':
      return takeDownload(event.download);
    case 'models':
      return takeModels(event);
    case 'modelsFailed':
      return set({ modelsError: event.error });
    default:
      return unreachable(event);
  }
}

function isAwaited(id: number): boolean {
  const { look } = hub();
  return look.status === 'looking' && look.id === id;
}

/** What hub.json says; the worker asks no other mirror. */
let mirror: { readonly url?: unknown; readonly redirects?: unknown } | null = null;

const introduce = (): void => send({ type: 'hub', url: hub().url, token, ...(mirror && { mirror }) });

/** A fresh worker knows neither hub nor token, and the old one took its download with it. */
function restarted(): void {
  introduce();
  const { download, look } = hub();
  if (download && isUnderWay(download)) set({ download: { ...download, phase: 'paused', speed: null, secondsLeft: null, retry: null } });
  if (look.status === 'looking') ask(look.repo, look.revision, look.commit);
}

function takeDownload(download: DownloadState): void {
  set({ download });
  const { look } = hub();
  if (download.phase !== 'done' || look.status !== 'known' || !sameModel(look.preflight.model, download.model)) return;
  const { preflight } = look;
  set({ look: { status: 'known', preflight: { ...preflight, whole: true, cachedBytes: preflight.bytes } } });
}

/** What is stored is newer than the look. */
function takeModels({ models, storage }: Extract<HubEvent, { type: 'models' }>): void {
  set({ models, storage, modelsError: null });
  const { look } = hub();
  if (look.status !== 'known') return;
  const { preflight } = look;
  const stored = models.find(({ model }) => sameModel(model, preflight.model));
  const whole = stored?.whole ?? false;
  if (whole !== preflight.whole) set({ look: { status: 'known', preflight: { ...preflight, whole, cachedBytes: stored?.bytes ?? 0 } } });
}

export const sameModel = (a: HubModel, b: HubModel): boolean => a.hub === b.hub && a.repo === b.repo && a.commit === b.commit;

export const isUnderWay = ({ phase }: DownloadState): boolean => ['starting', 'downloading', 'waiting', 'checking'].includes(phase);

/**
 * Throws HUB_NAME and changes nothing if it is not an address. An empty text means the default. A token is not carried over to
 * another hub.
 */
export function setHubUrl(text: string): void {
  const url = text.trim() === '' ? hub().usualUrl : parseHubUrl(text);
  if (url === hub().url) return;
  token = null;
  set({ url, hasToken: false, look: { status: 'none' } });
  remember('hub', url === hub().usualUrl ? undefined : url);
  introduce();
}

/** Throws HUB_NAME if it cannot be a token. An empty text forgets the token. */
export function setHubToken(text: string): void {
  token = parseToken(text);
  set({ hasToken: token !== null });
  introduce();
}

/** Asks what the model is; the answer is in `look`. An invalid name is answered at once. */
export function lookAt(text: string): void {
  try {
    const { repo, revision } = parseHubName(text, hub().url);
    ask(repo, revision);
  } catch (thrown) {
    looks++;
    set({ look: { status: 'failed', error: errorInfo(thrown) } });
  }
}

/** A stored model: whole ones need no connection. */
export function lookAtStored({ repo, revision, commit, hub: url }: HubModel): void {
  if (url !== hub().url) setHubUrl(url);
  ask(repo, revision, commit);
}

function ask(repo: string, revision: string, commit?: string): void {
  const id = ++looks;
  set({ look: { status: 'looking', id, repo, revision, commit } });
  send({ type: 'preflight', id, repo, revision, commit });
}

export function forgetLook(): void {
  looks++;
  set({ look: { status: 'none' } });
}

/** Starts the download, or continues where an earlier one ended; also after a reload, with the model from the list. */
export function downloadHubModel(model: HubModel): void {
  send({ type: 'download', model });
}

export const pauseDownload = (): void => send({ type: 'pauseDownload' });

/** Removes what has arrived. */
export const cancelDownload = (): void => send({ type: 'cancelDownload' });

export const listModels = (): void => send({ type: 'listModels' });

export function deleteModel(model: HubModel): void {
  set({ modelsError: null });
  send({ type: 'deleteModel', model });
}

/** Asks the browser to keep what is stored until the person removes it; workers cannot ask. False where it says no. */
export async function keepStorage(): Promise<boolean> {
  const persisted = await navigator.storage.persist().catch(() => false);
  listModels();
  return persisted;
}

const asUrl = (value: unknown): string | undefined => {
  try {
    return typeof value === 'string' ? parseHubUrl(value) : undefined;
  } catch {
    return undefined;
  }
};

/** hub.json beside the page: whoever serves the page says which hub it may ask, and where that one redirects to. */
async function usualAddress(): Promise<string> {
  try {
    mirror = (await (await guardedFetch(new URL('hub.json', document.baseURI))).json()) as typeof mirror;
    return asUrl(mirror?.url) ?? DEFAULT_HUB;
  } catch {
    return DEFAULT_HUB;
  }
}
