import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import type { DataPreview } from '../../data/sample/preview';
import type { Command } from '../../worker/protocol';
import { resetConfig, setConfig, useConfigStore } from './config';
import { setDevice } from '../run/device';
import { dataStanding, takeInspection, useInspectStore, watchData } from './inspect';
import { setView } from '../run/run';
import { chooseDataFile, chooseHeldOut, chosenSources, mapColumns, pasteData, setDataKind, useSourcesStore } from './sources';

const sent: Command[] = [];
// Files share their modules: an earlier one may have the real link already.
vi.hoisted(() => void vi.resetModules());
vi.mock('../link', () => ({
  connect: () => undefined,
  restartWorker: () => undefined,
  send: (command: Command) => sent.push(command),
}));

const START = useSourcesStore.getState();
const preview = (name: string): DataPreview => ({
  name,
  format: 'text',
  columns: ['text'],
  rows: [],
  template: 'none',
  unread: {},
  ending: { of: 'text', token: { id: 0, text: '</s>' }, stopIds: [0] },
  badRows: [],
  counts: { rows: 1, evalRows: 0, duplicates: 0, tokens: 2, targets: 1, truncated: 0, dropped: 0, perAnswer: 0, badRows: 0, samples: 1 },
  lengths: { p50: 2, p95: 2, max: 2, bins: [0, 0, 1], width: 1, beyond: 0 },
  refusal: null,
});
const file = (name: string): File => new File(['x'], name);
const questions = () => sent.filter((command) => command.type === 'inspect');
const lastId = (): number => questions().at(-1)?.id ?? -1;
const wait = (): void => void vi.advanceTimersByTime(1000);
const answer = (name: string): void => takeInspection({ type: 'inspected', id: lastId(), preview: preview(name) });
const state = () => useInspectStore.getState();

let end = (): void => undefined;
beforeEach(() => {
  vi.useFakeTimers();
  sent.length = 0;
  resetConfig();
  useSourcesStore.setState(START);
  setView('setup');
  end = watchData();
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

describe('the question', () => {
  test('is asked at once for what is chosen, and the answer is kept', () => {
    expect(state().status).toBe('asking');
    wait();
    expect(questions()).toMatchObject([{ model: { kind: 'builtin' }, data: { kind: 'builtin' }, config: DEFAULTS }]);
    answer('a');
    expect(state()).toMatchObject({ status: 'ready', preview: { name: 'a' } });
  });

  test('many changes are one question, with the last settings', () => {
    wait();
    for (const seqLen of [16, 32, 64]) setConfig({ seqLen });
    wait();
    expect(questions()).toHaveLength(2);
    expect(questions()[1].config.seqLen).toBe(64);
  });

  test('settings that do not bear on the data ask nothing', () => {
    wait();
    answer('a');
    setConfig({ lr: 0.1, steps: 7 });
    wait();
    expect(questions()).toHaveLength(1);
    expect(state().status).toBe('ready');
  });

  test('waits while such a setting is half typed', () => {
    wait();
    answer('a');
    setConfig({ seqLen: NaN });
    wait();
    expect(questions()).toHaveLength(1);
    expect(state()).toMatchObject({ status: 'ready', preview: { name: 'a' } });
    setConfig({ seqLen: 64 });
    wait();
    expect(questions()).toHaveLength(2);
  });

  test('is not asked outside the set-up, and asked again there if it had no answer', () => {
    wait();
    setView('run');
    setConfig({ seqLen: 32 });
    wait();
    expect(questions()).toHaveLength(1);
    setView('setup');
    wait();
    expect(questions()).toHaveLength(2);
    answer('a');
    setView('run');
    setView('setup');
    wait();
    expect(questions()).toHaveLength(2);
  });

  test('leaves the set-up before it was sent: it is sent on the way back', () => {
    setView('history');
    wait();
    expect(questions()).toHaveLength(0);
    setView('setup');
    wait();
    expect(questions()).toHaveLength(1);
  });

  test('is asked again of a restarted worker', () => {
    setDevice({ status: 'unavailable', error: { code: 'DEVICE_LOST', detail: '', remedy: '' } });
    wait();
    setDevice({ status: 'opening' });
    wait();
    expect(questions()).toHaveLength(2);
    answer('a');
    setDevice({ status: 'unavailable', error: { code: 'DEVICE_LOST', detail: '', remedy: '' } });
    setDevice({ status: 'opening' });
    wait();
    expect(questions()).toHaveLength(2);
  });
});

describe('the answer', () => {
  test('to an older question is dropped', () => {
    wait();
    const old = lastId();
    setConfig({ seqLen: 16 });
    takeInspection({ type: 'inspected', id: old, preview: preview('old') });
    expect(state()).toMatchObject({ status: 'asking', preview: null });
    wait();
    takeInspection({ type: 'inspectFailed', id: lastId(), error: { code: 'TOKENIZER', detail: 'd', remedy: 'r' } });
    expect(state()).toMatchObject({ status: 'failed', error: { code: 'TOKENIZER' } });
  });

  test('stays in view while other settings are asked for, and leaves with its data', () => {
    wait();
    answer('a');
    setConfig({ mask: 'all' });
    expect(state()).toMatchObject({ status: 'asking', preview: { name: 'a' } });
    chooseDataFile(file('b.jsonl'));
    expect(state()).toMatchObject({ status: 'asking', preview: null });
    setDataKind('paste');
    expect(state()).toMatchObject({ status: 'idle', preview: null });
  });

  test('of a long count comes with its first rows first', () => {
    wait();
    const head = preview('a');
    takeInspection({ type: 'inspecting', id: lastId(), fraction: 0.2, head });
    takeInspection({ type: 'inspecting', id: lastId(), fraction: 0.4, head: null });
    expect(state()).toMatchObject({ status: 'asking', fraction: 0.4, head: { name: 'a' } });
    answer('a');
    expect(state()).toMatchObject({ status: 'ready', fraction: null, head: null });
  });

  test('gives way to first rows that are read in another way', () => {
    wait();
    answer('a');
    mapColumns({ text: 'body' });
    wait();
    takeInspection({ type: 'inspecting', id: lastId(), fraction: 0.1, head: null });
    expect(state().preview).not.toBeNull();
    takeInspection({ type: 'inspecting', id: lastId(), fraction: 0.2, head: preview('a') });
    expect(state().preview).not.toBeNull();
    takeInspection({ type: 'inspecting', id: lastId(), fraction: 0.3, head: { ...preview('a'), format: 'messages' } });
    expect(state()).toMatchObject({ preview: null, head: { format: 'messages' } });
  });

  test('says whether a run would have something to learn', () => {
    expect(dataStanding(state())).toBe('unknown');
    const refused = (code: 'NO_TARGETS' | 'DATASET_PARSE') => ({ ...preview('a'), refusal: { code, detail: 'd', remedy: 'r' } });
    const ready = { ...state(), status: 'ready' } as const;
    expect(dataStanding({ ...ready, preview: preview('a') })).toBe('ready');
    expect(dataStanding({ ...ready, preview: refused('NO_TARGETS') })).toBe('empty');
    expect(dataStanding({ ...ready, preview: refused('DATASET_PARSE') })).toBe('failed');
    expect(dataStanding({ ...ready, status: 'failed', error: { code: 'DATASET_READ', detail: '', remedy: '' } })).toBe('failed');
  });
});

describe('the chosen data', () => {
  const data = () => useSourcesStore.getState().file?.name ?? null;
  const columns = () => useConfigStore.getState().config.columns;

  test('a pasted text is a file named by what it is', () => {
    pasteData('{"text": "a"}');
    expect(data()).toBe('pasted.jsonl');
    pasteData('Question,Answer\na,b');
    expect(data()).toBe('pasted.csv');
    pasteData('Once upon a time.');
    expect(data()).toBe('pasted.txt');
    expect(useConfigStore.getState().config.data).toBe('pasted.txt');
    pasteData('  ');
    expect(data()).toBeNull();
  });

  test('each kind keeps its own', () => {
    chooseDataFile(file('a.csv'));
    pasteData('text');
    setDataKind('file');
    expect(data()).toBe('a.csv');
    setDataKind('builtin');
    expect(data()).toBeNull();
    expect(useConfigStore.getState().config.data).toBe('pirate');
    setDataKind('paste');
    expect(useSourcesStore.getState().pasted).toBe('text');
  });

  test('a held-out file goes with a file or a pasted text, not with the built-in data', () => {
    const evalData = () => useConfigStore.getState().config.evalData;
    chooseDataFile(file('a.csv'));
    chooseHeldOut(file('held.csv'));
    expect(evalData()).toBe('held.csv');
    expect(chosenSources(useSourcesStore.getState())?.data).toMatchObject({ heldOut: { name: 'held.csv' } });
    setDataKind('builtin');
    expect(evalData()).toBeNull();
    expect(chosenSources(useSourcesStore.getState())?.data).toEqual({ kind: 'builtin', id: 'pirate' });
    setDataKind('file');
    expect(evalData()).toBe('held.csv');
    chooseHeldOut(null);
    expect(evalData()).toBeNull();
    expect(chosenSources(useSourcesStore.getState())?.data).not.toHaveProperty('heldOut');
  });

  test('a map of columns belongs to its file', () => {
    chooseDataFile(file('a.csv'));
    mapColumns({ text: 'body' });
    setDataKind('builtin');
    expect(columns()).toBeNull();
    setDataKind('file');
    expect(columns()).toEqual({ text: 'body' });
    chooseDataFile(file('a.csv'));
    expect(columns()).toEqual({ text: 'body' });
    chooseDataFile(file('b.csv'));
    expect(columns()).toBeNull();
  });
});
