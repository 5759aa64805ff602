// The reader is ended when it is silent or does not hear a cancel, and only then; what else was asked goes on in a fresh one.

import { expect, test } from 'vitest';
import { TINY_CONFIG } from '../../testing/tiny-session';
import { Unwanted } from '../../train/prepare';
import type { Event } from '../protocol';
import type { ReaderCommand, ReaderEvent } from './protocol';
import { Reader, type ReaderPort } from './reader';

const TYPE = { code: 'TOKENIZER', detail: 'The template does not end.', remedy: 'Use another.' } as const;
const BASE = 'http://localhost/';
const SOURCES = { model: { kind: 'builtin', id: 'm' }, data: { kind: 'builtin', id: 'rows.jsonl' } } as const;
const never = new AbortController().signal;

/** A worker that a test plays. */
class Played implements ReaderPort {
  readonly heard: ReaderCommand[] = [];
  ended = false;
  onmessage: ReaderPort['onmessage'] = null;
  onerror: ReaderPort['onerror'] = null;
  postMessage(command: ReaderCommand): void {
    this.heard.push(command);
  }
  terminate(): void {
    this.ended = true;
  }
  say(event: ReaderEvent): void {
    this.onmessage?.(new MessageEvent('message', { data: event }));
  }
}

function played() {
  const workers: Played[] = [];
  const events: Event[] = [];
  const reader = new Reader(
    () => workers[workers.push(new Played()) - 1],
    (event) => events.push(event),
    { start: 60, cancel: 30, look: 5 },
  );
  const prompts = (text: string, signal = never) => reader.for(SOURCES, BASE, signal, () => undefined).promptIds([text]);
  return { reader, workers, events, prompts };
}
const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

test('one that is silent is ended; what it worked on fails by name, the other goes on', async () => {
  const { workers, prompts } = played();
  const [bad, good] = [prompts('bad'), prompts('good')];
  const failure = expect(bad).rejects.toMatchObject({ code: 'TOKENIZER', detail: 'A prompt, read for m: The template does not end.' });
  const [{ id }] = workers[0].heard as { id: number }[];
  workers[0].say({ type: 'beat', id, allow: 20, late: TYPE });
  await failure;
  expect(workers.map(({ ended }) => ended)).toEqual([true, false]);
  expect(workers[1].heard).toMatchObject([{ type: 'prompts', prompts: ['good'] }]);
  workers[1].say({ type: 'prompts', id: (workers[1].heard[0] as { id: number }).id, ids: [[7]] });
  expect(await good).toEqual([[7]]);
});

test('one that beats is left alone, however long it takes', async () => {
  const { workers, prompts } = played();
  const asked = prompts('long');
  const { id } = workers[0].heard[0] as { id: number };
  for (let i = 0; i < 12; i++) {
    workers[0].say({ type: 'beat', id, allow: 60, late: null });
    await wait(10);
  }
  workers[0].say({ type: 'prompts', id, ids: [[1]] });
  expect(await asked).toEqual([[1]]);
  expect(workers).toHaveLength(1);
});

test('a cancel is at once for whoever asked, and ends a worker that does not hear it; one that does is kept', async () => {
  const { workers, prompts, reader, events } = played();
  const run = new AbortController();
  const asked = prompts('x', run.signal);
  run.abort();
  await expect(asked).rejects.toBeInstanceOf(Unwanted);
  // Whatever is asked now waits for the old one at most as long as a cancel may take.
  reader.inspect({ type: 'inspect', id: 9, config: TINY_CONFIG, ...SOURCES }, BASE);
  await wait(60);
  expect(workers.map(({ ended }) => ended)).toEqual([true, false]);
  expect(workers[1].heard).toMatchObject([{ type: 'inspect' }]);
  const { id } = workers[1].heard[0] as { id: number };
  reader.endInspection();
  workers[1].say({ type: 'ended', id });
  await wait(60);
  expect(workers.map(({ ended }) => ended)).toEqual([true, false]);
  expect(events).toEqual([]);
});

test('tokens that a worker gave before it was ended are not counted twice', async () => {
  const { workers, reader, prompts } = played();
  const loading = reader.for(SOURCES, BASE, never, () => undefined).load(TINY_CONFIG);
  const stuck = new AbortController();
  const other = prompts('x', stuck.signal);
  const load = workers[0].heard[0] as { id: number };
  workers[0].say({ type: 'blocks', id: load.id, file: 0, blocks: [Uint16Array.of(1, 2)] });
  stuck.abort();
  await expect(other).rejects.toBeInstanceOf(Unwanted);
  await wait(60);
  workers[1].say({ type: 'blocks', id: load.id, file: 0, blocks: [Uint16Array.of(3, 4)] });
  const lists = { rows: [0], starts: [0], lengths: [2], chats: [0], rowLengths: [2] };
  const encoding = {
    ...lists,
    perAnswer: 0,
    refused: [],
    roughCuts: 0,
    ending: { of: 'text', token: null, stopIds: [] },
    unread: {},
  } as const;
  const facts = {
    name: 'rows.jsonl',
    format: 'text',
    badRows: [],
    columns: [],
    refusal: null,
    firstRows: [],
    rowCount: 1,
    chat: false,
  } as const;
  workers[1].say({ type: 'loaded', id: load.id, files: [{ ...facts, vocabSize: 10, tokens: 2, encoding }] });
  expect((await loading).data.encoding.store.sample(0, 2).ids).toEqual(Uint32Array.of(3, 4));
});
