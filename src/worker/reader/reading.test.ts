// A look at data and the load of a run, by the reader: what it answers, and that something newer, or a start, ends it between two turns.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../base/errors';
import { temporaryFolder } from '../../testing/tiny-folder';
import { FakeOpfs } from '../../testing/fake-opfs';
import { OpfsFinished } from '../../io/browser/opfs-finished';
import { TabLock } from '../../io/browser/tab-lock';
import { pickedModel } from '../../testing/tiny-service';
import { MemorySources, memoryModels } from '../../testing/tiny-service';
import { MemoryCheckpoints, TINY_CONFIG } from '../../testing/tiny-session';
import { localReader } from '../../testing/local-reader';
import { Unwanted } from '../../train/prepare';
import type { ReaderEvent } from './protocol';
import { Reading } from './reading';
import { Reader, type InspectCommand } from './reader';
import type { Event } from '../protocol';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import { TrainService } from '../service';

const folder = temporaryFolder('inspect');
afterAll(() => folder.remove());
let model: ModelSource;
beforeAll(() => {
  model = pickedModel(folder.path, 'tiny-llama');
});

const fileOf = (name: string, text: string): DataSource => ({ kind: 'file', file: new File([text], name) });
const rowsOf = (count: number, what = 'Answer'): DataSource =>
  fileOf(
    'rows.jsonl',
    Array.from({ length: count }, (_, i) => JSON.stringify({ prompt: `Question ${i}?`, completion: `${what} ${i}.` })).join('\n'),
  );
const question = (id: number, data: DataSource, change: Partial<InspectCommand> = {}): InspectCommand => ({
  type: 'inspect',
  id,
  config: { ...TINY_CONFIG, seqLen: 64, evalSplit: 0.05 },
  model,
  data,
  ...change,
});

function inspector() {
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  const reader = new Reader(
    () => localReader(memoryModels()),
    (event) => {
      events.push(event);
      waiting.forEach((look) => look());
    },
  );
  /** Resolves with the answer to this question. */
  const ask = (command: InspectCommand): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!events.some((event) => (event.type === 'inspected' || event.type === 'inspectFailed') && event.id === command.id)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      reader.inspect(command, BASE);
    });
  /** What a run of the same would load. */
  const load = ({ config, model, data }: InspectCommand, signal = new AbortController().signal, keep = false) =>
    reader.for({ model, data }, BASE, signal, () => undefined, keep).load(config);
  /** Without the progress, which a slow machine tells. */
  const answers = (): Event[] => events.filter(({ type }) => type !== 'inspecting');
  return { reader, events, answers, ask, load };
}
const BASE = 'http://localhost/';

test('answers with the preview of the data', async () => {
  const { ask, answers } = inspector();
  await ask(question(7, rowsOf(20)));
  expect(answers()).toMatchObject([{ type: 'inspected', id: 7, preview: { name: 'rows.jsonl', counts: { rows: 19, evalRows: 1 } } }]);
});

test('needs no weights, and tells a broken tokenizer', async () => {
  if (model.kind !== 'files') throw new Error('a folder was picked');
  const without = (name: RegExp): ModelSource => ({
    kind: 'files',
    name: 'part',
    files: (model as typeof model & { kind: 'files' }).files.filter((file) => !name.test(file.name)),
  });
  const { ask, answers } = inspector();
  await ask(question(1, rowsOf(4), { model: without(/safetensors/) }));
  await ask(question(2, rowsOf(4), { model: without(/^tokenizer\.json/) }));
  expect(answers()).toMatchObject([
    { type: 'inspected', id: 1 },
    { type: 'inspectFailed', id: 2, error: { code: 'TOKENIZER' } },
  ]);
});

test('a file of no known kind, and one that is not text', async () => {
  const { ask, answers } = inspector();
  await ask(question(1, fileOf('photo.png', 'x')));
  await ask(question(2, { kind: 'file', file: new File([Uint8Array.of(0xff, 0xff)], 'a.txt') }));
  expect(answers()).toMatchObject([
    { type: 'inspectFailed', error: { code: 'DATASET_READ' } },
    { type: 'inspectFailed', error: { code: 'DATASET_PARSE' } },
  ]);
});

test('works where there is no GPU: the service answers though the device could not be opened', async () => {
  const events: Event[] = [];
  const none = new AppError('NO_WEBGPU', 'There is none.', '');
  const service = new TrainService({
    openGpu: () => Promise.reject(none),
    storage: {
      checkpoints: new MemoryCheckpoints(),
      sources: new MemorySources(),
      finished: new OpfsFinished('finished', new FakeOpfs().storage),
      lock: new TabLock('run', undefined),
    },
    models: memoryModels(),
    spawnReader: () => localReader(memoryModels()),
    post: (event) => events.push(event),
  });
  await service.handle({ type: 'open', base: 'http://localhost/' });
  await service.handle(question(3, rowsOf(4)));
  await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'inspected', id: 3 }), { timeout: 10_000 });
  expect(events.find(({ type }) => type === 'refused')).toMatchObject({ type: 'refused', error: { code: 'NO_WEBGPU' } });
});

describe('tokens that were counted', () => {
  /** A file that counts how often it is read, with a date of its own. */
  function counting(text: string, lastModified: number): { readonly file: File; readonly reads: () => number } {
    let reads = 0;
    const file = new File([text], 'held.jsonl', { lastModified });
    const stream = file.stream.bind(file);
    file.stream = () => {
      reads++;
      return stream();
    };
    return { file, reads: () => reads };
  }
  const text = (what: string): string =>
    Array.from({ length: 4 }, (_, i) => JSON.stringify({ prompt: `Held ${i}?`, completion: `${what} ${i}.` })).join('\n');
  const ROWS = rowsOf(20);
  const withHeldOut = (heldOut: File): DataSource => (ROWS.kind === 'file' ? { ...ROWS, heldOut } : ROWS);

  test('are kept for another length; a held-out file that has changed is a new look', async () => {
    const { ask, answers } = inspector();
    const [first, second] = [counting(text('One'), 1), counting(text('Two'), 2)];
    await ask(question(1, withHeldOut(first.file)));
    await ask(question(2, withHeldOut(first.file), { config: { ...TINY_CONFIG, seqLen: 32 } }));
    expect([first.reads(), second.reads()]).toEqual([1, 0]);
    // The same name and size.
    expect(second.file.size).toBe(first.file.size);
    await ask(question(3, withHeldOut(second.file)));
    expect([first.reads(), second.reads()]).toEqual([1, 1]);
    await ask(question(4, ROWS));
    expect(answers()).toMatchObject([
      { type: 'inspected', preview: { counts: { rows: 20, evalRows: 4 } } },
      { type: 'inspected', preview: { counts: { rows: 20, evalRows: 4 } } },
      { type: 'inspected', preview: { counts: { rows: 20, evalRows: 4 } } },
      { type: 'inspected', preview: { counts: { rows: 19, evalRows: 1 } } },
    ]);
  });

  test('go to a run of the same, once; a measurement gets a copy; a run with another mask reads again', async () => {
    const { ask, load } = inspector();
    const file = counting(text('One'), 1);
    const asked = question(1, withHeldOut(file.file));
    await ask(asked);
    const never = new AbortController().signal;
    // Two reads of the first piece: whether it is still there.
    const [copy, given] = [await load(asked, never, true), await load({ ...asked, config: { ...asked.config, seqLen: 32, seed: 9 } })];
    expect([copy.data.rowCount, given.data.rowCount, given.evaluation?.rowCount]).toEqual([20, 20, 4]);
    const { encoding } = given.data;
    expect(encoding.store.sample(0, encoding.store.length)).toEqual(copy.data.encoding.store.sample(0, encoding.store.length));
    expect(file.reads()).toBe(3);
    const again = await load(asked);
    expect(again.data.encoding.store.length).toBe(encoding.store.length);
    expect(again.data.encoding.rows).toEqual(encoding.rows);
    expect(file.reads()).toBe(4);
    const masked = await load({ ...asked, config: { ...asked.config, mask: 'all' } });
    expect(masked.data.encoding.store.targets(0, 200)).toBeGreaterThan(again.data.encoding.store.targets(0, 200));
  });
});

describe('what takes long', () => {
  const LONG = 30_000;

  const under = (events: readonly Event[]): Promise<void> =>
    vi.waitFor(() => expect(events.some((event) => event.type === 'inspecting')).toBe(true), { timeout: 20_000, interval: 5 });

  test('gives way to a newer question, which alone is answered', async () => {
    const { ask, events } = inspector();
    void ask(question(1, rowsOf(LONG)));
    await under(events);
    const asked = performance.now();
    await ask(question(2, rowsOf(10)));
    // Counting the first to its end takes seconds.
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(events.filter(({ type }) => type === 'inspected')).toMatchObject([{ id: 2 }]);
    const news = events.filter((event) => event.type === 'inspecting');
    expect(news.every(({ id, fraction }) => id === 1 && fraction > 0 && fraction < 1)).toBe(true);
  });

  test('is ended without an answer by a start; the load of a run too, when the run is discarded', async () => {
    const { reader, ask, load, events } = inspector();
    void ask(question(1, rowsOf(LONG)));
    await under(events);
    reader.endInspection();
    const run = new AbortController();
    const loading = load(question(1, rowsOf(LONG)), run.signal);
    setTimeout(() => run.abort(), 100);
    await expect(loading).rejects.toBeInstanceOf(Unwanted);
    await ask(question(2, rowsOf(4)));
    expect(events.filter(({ type }) => type !== 'inspecting')).toMatchObject([{ type: 'inspected', id: 2 }]);
  });

  test('tells how far it is, and shows the first rows once, before it is done', async () => {
    const { ask, events } = inspector();
    // Long enough for news at every quarter of a second, on a fast machine too.
    await ask(question(1, rowsOf(24_000)));
    const news = events.filter((event) => event.type === 'inspecting');
    expect(news.length).toBeGreaterThan(1);
    expect(news.filter(({ head }) => head !== null)).toMatchObject([{ head: { name: 'rows.jsonl', format: 'prompt_completion' } }]);
    expect(news.find(({ head }) => head !== null)?.head?.rows).toHaveLength(50);
    const last = events.at(-1);
    if (last?.type !== 'inspected') throw new AppError('INTERNAL', 'There is no answer.', '');
    const { rows, evalRows } = last.preview.counts;
    expect(rows + evalRows).toBe(24_000);
    expect(last.preview.rows).toHaveLength(50);
  });
});

test('a cancel of what waits is heard at once, and what is worked on goes on', async () => {
  const events: ReaderEvent[] = [];
  const reading = new Reading((event) => events.push(event), memoryModels());
  const command = (id: number) => ({ ...question(id, rowsOf(20, `Answer ${id}`)), base: BASE, type: 'inspect' as const });
  const [first, second] = [reading.handle(command(1)), reading.handle(command(2))];
  await reading.handle({ type: 'cancel', id: 2 });
  expect(events.filter(({ type }) => type !== 'beat')).toEqual([{ type: 'ended', id: 2 }]);
  await Promise.all([first, second]);
  expect(events.some((event) => event.type === 'inspected' && event.id === 1)).toBe(true);
  expect(events.some((event) => event.type === 'inspected' && event.id === 2)).toBe(false);
});
