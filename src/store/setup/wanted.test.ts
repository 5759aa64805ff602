import { beforeEach, expect, test, vi } from 'vitest';
import type { StoreApi } from 'zustand';
import { useConfigStore } from './config';
import { useHubName } from './hub-choice';
import { chooseDataFile, chosenSources, useSourcesStore } from './sources';
import { readQuery, useWanted, wantData, wantModel, watchWanted } from './wanted';

beforeEach(() => {
  vi.stubGlobal('localStorage', undefined);
  for (const store of [useConfigStore, useSourcesStore, useHubName, useWanted] as StoreApi<object>[])
    store.setState(store.getInitialState(), true);
});
const chosen = () => chosenSources(useSourcesStore.getState());

test('a link of a model card fills the form, and nothing can start before a person has looked', () => {
  expect(readQuery('?model=HuggingFaceTB/SmolLM2-135M&dataset=devils-dictionary')).toBe(true);
  expect(useSourcesStore.getState()).toMatchObject({ modelKind: 'hub', dataKind: 'builtin', builtin: { id: 'devils-dictionary' } });
  expect(useHubName.getState().text).toBe('HuggingFaceTB/SmolLM2-135M');
  expect(chosen()).toBeNull();
  expect(readQuery('?utm=1')).toBe(false);
});

test('what is not here is asked for by name, and the built-in ones do not stand in for it', () => {
  const end = watchWanted();
  wantModel('my-folder');
  wantData('chats.jsonl');
  expect(useWanted.getState()).toEqual({ model: 'my-folder', data: 'chats.jsonl' });
  expect(useSourcesStore.getState()).toMatchObject({ modelKind: 'local', local: null, dataKind: 'file', file: null });
  chooseDataFile(new File(['{}'], 'other.jsonl'));
  expect(useWanted.getState()).toEqual({ model: 'my-folder', data: null });
  end();
});

test('a file or a built-in model that is here is taken', () => {
  chooseDataFile(new File(['{}'], 'chats.jsonl'));
  wantData('pirate');
  wantData('chats.jsonl');
  wantModel('wordsmith-2m');
  expect(useWanted.getState()).toEqual({ model: null, data: null });
  expect(chosen()).toMatchObject({ model: { kind: 'builtin' }, data: { kind: 'file' } });
});
