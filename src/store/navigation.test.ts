// The browser's history as the page writes and follows it, on one in memory.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StoreApi } from 'zustand';
import { closeDialog, openDialog, useDialog } from './dialog';
import { useHistoryStore } from './history/history';
import { followPlaces } from './navigation';
import { newRun, setView, useRunStore } from './run/run';
import { DEFAULTS } from '../config/run-config';
import { setConfig, useConfigStore } from './setup/config';
import { followAddress } from './setup/url';

class FakeBrowser {
  readonly entries: { state: unknown; hash: string }[] = [{ state: null, hash: '' }];
  at = 0;
  readonly #listeners = new Map<string, Set<(event: unknown) => void>>();

  install(): void {
    const put = (url: string): string => (url.startsWith('#') ? url : '');
    const state = (): unknown => this.entries[this.at].state;
    const hash = (): string => this.entries[this.at].hash;
    vi.stubGlobal('location', {
      origin: 'http://localhost',
      pathname: '/',
      search: '',
      get hash() {
        return hash();
      },
    });
    vi.stubGlobal('history', {
      get state() {
        return state();
      },
      replaceState: (next: unknown, _: string, url: string) => (this.entries[this.at] = { state: next, hash: put(url) }),
      pushState: (next: unknown, _: string, url: string) => {
        this.entries.splice(++this.at, Infinity, { state: next, hash: put(url) });
      },
      back: () => this.go(-1),
    });
    vi.stubGlobal('addEventListener', (type: string, listener: (event: unknown) => void) => {
      if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
      this.#listeners.get(type)?.add(listener);
    });
    vi.stubGlobal('removeEventListener', (type: string, listener: (event: unknown) => void) => this.#listeners.get(type)?.delete(listener));
  }

  #tell(type: string): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ state: this.entries[this.at].state });
  }

  go(by: number): void {
    this.at += by;
    this.#tell('popstate');
    this.#tell('hashchange');
  }

  type(hash: string): void {
    this.entries.splice(++this.at, Infinity, { state: null, hash });
    this.#tell('popstate');
    this.#tell('hashchange');
  }

  get hash(): string {
    return this.entries[this.at].hash;
  }
}

let browser: FakeBrowser;
let ends: (() => void)[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  browser = new FakeBrowser();
  browser.install();
  for (const store of [useRunStore, useHistoryStore, useDialog, useConfigStore] as StoreApi<object>[])
    store.setState(store.getInitialState(), true);
});
afterEach(() => {
  ends.forEach((end) => end());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const start = (): void => void (ends = [followAddress(), followPlaces()]);
const viewNow = (): string => useRunStore.getState().view;

test('each screen is an entry; Back returns, and settings of today stay', () => {
  start();
  setView('history');
  setView('replay');
  expect(browser.hash).toBe('#view=replay');
  setConfig({ seed: 7 });
  vi.advanceTimersByTime(400);
  expect(browser.hash).toBe('#view=replay&seed=7');
  browser.go(-1);
  expect([viewNow(), browser.hash, useConfigStore.getState().config.seed]).toEqual(['history', '#view=history&seed=7', 7]);
  browser.go(-1);
  expect([viewNow(), browser.hash]).toEqual(['setup', '#seed=7']);
  browser.go(1);
  expect(viewNow()).toBe('history');
});

test('Back closes a dialog; one closed by its button costs no second Back', () => {
  start();
  setView('history');
  openDialog('help');
  expect(browser.hash).toBe('#view=history&dialog=help');
  browser.go(-1);
  expect([useDialog.getState().open, viewNow()]).toEqual([null, 'history']);
  openDialog('help');
  closeDialog();
  expect(browser.hash).toBe('#view=history');
  browser.go(-1);
  expect(viewNow()).toBe('setup');
});

test('an address that a person types sets screen and settings, and is an entry like others', () => {
  start();
  setView('history');
  browser.type('#view=replay&seed=9');
  expect([viewNow(), useConfigStore.getState().config.seed]).toEqual(['replay', 9]);
  browser.go(-1);
  expect([viewNow(), useConfigStore.getState().config.seed]).toEqual(['history', 9]);
});

test('a reload stays on its screen, and without its run on the set-up', () => {
  browser.entries[0] = { state: { lisa: 3 }, hash: '#view=compare&steps=7' };
  start();
  expect([viewNow(), browser.hash]).toEqual(['setup', '#steps=7']);
  useRunStore.setState({ run: newRun('a', DEFAULTS), view: 'run' });
  expect(browser.hash).toBe('#view=run&run=a&steps=7');
});
