// What the set-up keeps: settings and their defaults, the address, the budget.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULTS, METHOD_LR, type RunConfig } from '../../config/run-config';
import { encodeConfig } from '../../config/codec';
import { asBudget, BUDGET_RANGE, loadBudget, setBudget, useBudgetStore, verdictOf } from './budget';
import { adoptConfig, resetConfig, resetKey, setConfig, useConfigStore, type ConfigState } from './config';
import { followAddress, linkOf, useLinkStore } from './url';

/** A page with an address and a storage, as far as the stores need one. */
class FakePage {
  hash = '';
  readonly stored = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  install(): void {
    vi.stubGlobal('location', this.#location());
    vi.stubGlobal('history', {
      state: null,
      replaceState: (_: unknown, __: string, url: string) => (this.hash = url.replace(/^[^#]*/, '')),
    });
    vi.stubGlobal('addEventListener', (_: string, listener: () => void) => this.#listeners.add(listener));
    vi.stubGlobal('removeEventListener', (_: string, listener: () => void) => this.#listeners.delete(listener));
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => this.stored.get(key) ?? null,
      setItem: (key: string, value: string) => this.stored.set(key, value),
      removeItem: (key: string) => this.stored.delete(key),
    });
  }

  go(hash: string): void {
    this.hash = hash;
    this.#listeners.forEach((listener) => listener());
  }

  #location(): object {
    const hash = (): string => this.hash;
    return {
      origin: 'http://localhost',
      pathname: '/page/',
      search: '',
      get hash() {
        return hash();
      },
    };
  }
}

let page: FakePage;
beforeEach(() => {
  page = new FakePage();
  page.install();
  useConfigStore.setState(useConfigStore.getInitialState());
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const configNow = (): RunConfig => useConfigStore.getState().config;

describe('settings', () => {
  const state = (patch: Partial<RunConfig>): ConfigState => ({
    config: { ...DEFAULTS, ...patch },
    touched: new Set(Object.keys(patch) as (keyof RunConfig)[]),
  });

  it('a reset option is untouched again, and follows the others', () => {
    const reset = resetKey(state({ method: 'lora', lr: 1, seed: 3 }), 'lr');
    expect(reset.config.lr).toBe(METHOD_LR.lora);
    expect([...reset.touched]).toEqual(['method', 'seed']);
    const steps = resetKey({ config: { ...DEFAULTS, steps: 20, warmup: 2 }, touched: new Set(['steps']) }, 'steps');
    expect(steps.config).toEqual(DEFAULTS);
    const method = resetKey({ config: { ...DEFAULTS, method: 'full', lr: METHOD_LR.full }, touched: new Set(['method']) }, 'method');
    expect(method.config).toEqual(DEFAULTS);
  });

  it('settings from elsewhere leave the chosen model and data alone', () => {
    setConfig({ model: 'my-folder', data: 'mine.csv' });
    adoptConfig({ ...DEFAULTS, model: 'theirs', seed: 7 }, ['seed']);
    expect(configNow()).toMatchObject({ model: 'my-folder', data: 'mine.csv', seed: 7 });
    expect([...useConfigStore.getState().touched]).toEqual(['seed']);
    setConfig({ columns: { text: 'body' } });
    adoptConfig(DEFAULTS, []);
    expect(configNow().columns).toEqual({ text: 'body' });
    adoptConfig({ ...DEFAULTS, columns: { text: 'theirs' } }, ['columns']);
    expect(configNow().columns).toEqual({ text: 'theirs' });
    resetConfig();
    expect(configNow()).toEqual({ ...DEFAULTS, model: 'my-folder', data: 'mine.csv' });
  });
});

describe('the address', () => {
  it('is read at the start, followed, and kept in step after a moment', () => {
    vi.useFakeTimers();
    page.hash = '#method=full&seed=12';
    const end = followAddress();
    expect(configNow()).toMatchObject({ method: 'full', lr: METHOD_LR.full, seed: 12 });
    setConfig({ lisaLayers: 3 });
    setConfig({ lisaLayers: 4 });
    expect(page.hash).toBe('#method=full&seed=12');
    vi.advanceTimersByTime(400);
    expect(page.hash).toBe(`#${encodeConfig(configNow())}`);
    expect(page.hash).toContain('lisaLayers=4');
    page.go('#seed=5');
    expect(configNow()).toEqual({ ...DEFAULTS, seed: 5 });
    resetConfig();
    vi.advanceTimersByTime(400);
    expect(page.hash).toBe('');
    end();
    setConfig({ seed: 6 });
    vi.advanceTimersByTime(400);
    expect(page.hash).toBe('');
  });

  it('reports what it could not load from a link, and fixes the link', () => {
    vi.useFakeTimers();
    page.hash = '#steps=0&gamma=9&seed=5';
    const end = followAddress();
    expect(useLinkStore.getState().notice).toEqual({
      dropped: [{ name: 'steps', expected: 'a whole number from 1 to 10,000,000' }],
      given: ['seed'],
    });
    vi.advanceTimersByTime(400);
    expect(page.hash).toBe('#seed=5');
    page.go('#seed=4');
    expect(useLinkStore.getState().notice).toBeNull();
    end();
  });

  it('can be copied', () => {
    expect(linkOf(DEFAULTS)).toBe('http://localhost/page/');
    expect(linkOf({ ...DEFAULTS, seed: 2 })).toBe('http://localhost/page/#seed=2');
  });
});

describe('the budget', () => {
  it('is tight from three quarters on', () => {
    expect(['fits', 'tight', 'tight', 'exceeds']).toEqual([74, 75, 100, 101].map((bytes) => verdictOf(bytes, 100)));
  });

  it('is kept, inside its range; anything else is none', () => {
    setBudget(4e9);
    useBudgetStore.setState({ budget: null });
    loadBudget();
    expect(useBudgetStore.getState().budget).toBe(4e9);
    expect(asBudget(1)).toBe(BUDGET_RANGE.min);
    for (const value of [0, -1, NaN, Infinity, '4e9', null, {}]) expect(asBudget(value)).toBeNull();
    page.stored.set('lisa-studio.budget', '{"a":');
    loadBudget();
    expect(useBudgetStore.getState().budget).toBeNull();
    setBudget(4e9);
    setBudget(null);
    expect(page.stored.has('lisa-studio.budget')).toBe(false);
  });
});
