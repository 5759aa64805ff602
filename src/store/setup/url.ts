// The address of the page says how its settings differ from the defaults, so that people can keep it, send it and
// return to it. It follows the form after a moment's rest, and the form follows it when a person opens or edits a link.

import { create } from 'zustand';
import { decodeConfig, encodeConfig, type DroppedSetting } from '../../config/codec';
import type { ConfigKey, RunConfig } from '../../config/run-config';
import { currentPlace, placeText } from '../place';
import { adoptConfig, useConfigStore } from './config';
import { adoptHubName, hubNameInUse } from './hub-choice';
import { encodeHubLink, decodeHubLink } from './hub-link';
import { useRunStore } from '../run/run';
import { useSourcesStore } from './sources';
import { readQuery } from './wanted';

/** Long enough for typing and dragging to end. Browsers also refuse too many changes of the address in a short time. */
const REST_MS = 400;

export interface LinkNotice {
  /** Settings of the last link that could not be loaded. */
  readonly dropped: readonly DroppedSetting[];
  /** Settings that it did set. */
  readonly given: readonly ConfigKey[];
}

export const useLinkStore = create<{ readonly notice: LinkNotice | null }>(() => ({ notice: null }));

export const dismissLinkNotice = (): void => useLinkStore.setState({ notice: null });

/** The address of these settings, or of those in the form. */
export function linkOf(config = useConfigStore.getState().config): string {
  const hash = hashOf(config);
  const { origin, pathname, search } = location;
  return `${origin === 'null' ? '' : origin}${pathname}${search}${hash && `#${hash}`}`;
}

/** The form's own settings take the hub's model along: its name and revision, and nothing that gives access to it. */
function hashOf(config: RunConfig): string {
  const hub = config === useConfigStore.getState().config ? hubNameInUse() : null;
  return [encodeConfig(config), hub ? encodeHubLink(hub) : ''].filter((part) => part !== '').join('&');
}

/** Where the person is, and the form's settings: what the address says after its path. */
export function addressHash(): string {
  const hash = [placeText(currentPlace()), hashOf(useConfigStore.getState().config)].filter((part) => part !== '').join('&');
  return hash ? `#${hash}` : location.pathname + location.search;
}

function readAddress(): void {
  const { config, given, dropped } = decodeConfig(location.hash);
  adoptConfig(config, given);
  const hub = decodeHubLink(location.hash);
  if (hub) adoptHubName(hub);
  useLinkStore.setState({ notice: dropped.length > 0 ? { dropped, given } : null });
}

export function writeAddress(): void {
  const hash = addressHash();
  if (location.hash === hash || (location.hash === '' && !hash.startsWith('#'))) return;
  history.replaceState(history.state, '', hash);
}

/** An entry that navigation.ts made holds the settings of its time, which are not to come back. */
function onHashChange(): void {
  if (history.state === null) readAddress();
}

/** Reads the address now and keeps it in step from here on. Returns the function that ends it. */
export function followAddress(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(writeAddress, REST_MS);
  };
  const end = useConfigStore.subscribe((now, before) => {
    if (now.config !== before.config) later();
  });
  const endSources = useSourcesStore.subscribe((now, before) => {
    if (now.modelKind !== before.modelKind || now.hub !== before.hub) later();
  });
  addEventListener('hashchange', onHashChange);
  if (readQuery(location.search)) history.replaceState(history.state, '', location.pathname + location.hash);
  // What a link said is old news once a run has started.
  const endNotice = useRunStore.subscribe(({ run }, before) => run?.runId !== before.run?.runId && dismissLinkNotice());
  if (location.hash.length > 1) {
    readAddress();
    // What could not be loaded is removed from the address, even if nothing else changed.
    later();
  }
  return () => {
    clearTimeout(timer);
    end();
    endSources();
    endNotice();
    removeEventListener('hashchange', onHashChange);
  };
}
