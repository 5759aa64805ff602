import { beforeEach, expect, test } from 'vitest';
import type { Preflight } from '../../io/hub/types';
import { useConfigStore } from './config';
import { useHubStore } from './hub';
import { adoptHubName, watchHubChoice, hubNameInUse, lookUp, lookUpNamed, setHubName, useHubName } from './hub-choice';
import { chosenSources, setModelKind, useSourcesStore } from './sources';

const HUB = useHubStore.getInitialState();
const look = () => useHubStore.getState().look;
const preflight = (whole: boolean): Preflight => ({
  model: { kind: 'hub', hub: 'https://h', repo: 'a/b', revision: 'v1', commit: '0'.repeat(40) },
  shape: { layers: 1 } as Preflight['shape'],
  parameters: 1,
  dtypes: { f32: 1, f16: 0, bf16: 0 },
  types: 'f32',
  files: [],
  bytes: 4,
  cachedBytes: 0,
  whole,
  licence: null,
  gated: false,
});

beforeEach(() => {
  useHubStore.setState(HUB, true);
  setHubName({ text: '', revision: '' });
  setModelKind('builtin');
});

test('a link fills the field and sends no request', () => {
  adoptHubName({ repo: 'a/b', revision: 'v1' });
  expect(useHubName.getState()).toEqual({ text: 'a/b', revision: 'v1' });
  expect(useSourcesStore.getState().modelKind).toBe('hub');
  expect(look().status).toBe('none');
  expect(hubNameInUse()).toEqual({ repo: 'a/b', revision: 'v1' });
  setModelKind('builtin');
  expect(hubNameInUse()).toBeNull();
});

test('a look is at the name with the revision beside it; another name forgets it', () => {
  setHubName({ text: ' a/b ', revision: 'v1' });
  lookUp();
  expect(look()).toMatchObject({ status: 'looking', repo: 'a/b', revision: 'v1' });
  lookUpNamed('c/d@e');
  expect(look()).toMatchObject({ status: 'looking', repo: 'c/d', revision: 'e' });
  setHubName({ text: 'c/d2' });
  expect(look().status).toBe('none');
});

test('a token in the wrong field is neither sent nor put into the address', () => {
  setModelKind('hub');
  setHubName({ text: 'hf_abcdefghijklmnopqrstuvwxyz' });
  lookUp();
  expect(look()).toMatchObject({ status: 'failed', error: { code: 'HUB_NAME' } });
  expect(JSON.stringify(look())).not.toContain('hf_abc');
  expect(hubNameInUse()).toBeNull();
});

test('what is known of it is a source of the set-up, and one to train on when it is whole', () => {
  const end = watchHubChoice();
  setModelKind('hub');
  useHubStore.setState({ look: { status: 'known', preflight: preflight(false) } });
  expect(useConfigStore.getState().config.model).toBe('a/b@v1');
  expect(chosenSources(useSourcesStore.getState())).toBeNull();
  useHubStore.setState({ look: { status: 'known', preflight: preflight(true) } });
  expect(chosenSources(useSourcesStore.getState())?.model).toEqual(preflight(true).model);
  end();
});
