// The worker's look at data: what it answers, and that something newer, or a start, ends it between two slices.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AppError } from '../base/errors';
import { temporaryFolder } from '../testing/tiny-folder';
import { FakeOpfs } from '../testing/fake-opfs';
import { OpfsFinished } from '../io/browser/opfs-finished';
import { TabLock } from '../io/browser/tab-lock';
import { pickedModel } from '../testing/tiny-service';
import { MemorySources, memoryModels } from '../testing/tiny-service';
import { MemoryCheckpoints, TINY_CONFIG } from '../testing/tiny-session';
import { Inspector, type InspectCommand } from './inspect';
import type { Event } from './protocol';
import type { DataSource, ModelSource } from '../io/sources/run-sources';
import { TrainService } from './service';

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
  const made = new Inspector((event) => events.push(event));
  return { made, events, ask: (command: InspectCommand) => made.ask(command, { base: 'http://localhost/', models: memoryModels() }) };
}

test('answers with the preview of the data', async () => {
  const { ask, events } = inspector();
  await ask(question(7, rowsOf(20)));
  expect(events).toMatchObject([{ type: 'inspected', id: 7, preview: { name: 'rows.jsonl', counts: { rows: 19, evalRows: 1 } } }]);
});

test('needs no weights, and tells a broken tokenizer', async () => {
  if (model.kind !== 'files') throw new Error('a folder was picked');
  const without = (name: RegExp): ModelSource => ({
    kind: 'files',
    name: 'part',
    files: (model as typeof model & { kind: 'files' }).files.filter((file) => !name.test(file.name)),
  });
  const { ask, events } = inspector();
  await ask(question(1, rowsOf(4), { model: without(/safetensors/) }));
  await ask(question(2, rowsOf(4), { model: without(/^tokenizer\.json/) }));
  expect(events).toMatchObject([
    { type: 'inspected', id: 1 },
    { type: 'inspectFailed', id: 2, error: { code: 'TOKENIZER' } },
  ]);
});

test('a file of no known kind, and one that is not text', async () => {
  const { ask, events } = inspector();
  await ask(question(1, fileOf('photo.png', 'x')));
  await ask(question(2, { kind: 'file', file: new File([Uint8Array.of(0xff, 0xff)], 'a.txt') }));
  expect(events).toMatchObject([
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
    const { ask, events } = inspector();
    const [first, second] = [counting(text('One'), 1), counting(text('Two'), 2)];
    await ask(question(1, withHeldOut(first.file)));
    await ask(question(2, withHeldOut(first.file), { config: { ...TINY_CONFIG, seqLen: 32 } }));
    expect([first.reads(), second.reads()]).toEqual([1, 0]);
    // The same name and size.
    expect(second.file.size).toBe(first.file.size);
    await ask(question(3, withHeldOut(second.file)));
    expect([first.reads(), second.reads()]).toEqual([1, 1]);
    await ask(question(4, ROWS));
    expect(events).toMatchObject([
      { type: 'inspected', preview: { counts: { rows: 20, evalRows: 4 } } },
      { type: 'inspected', preview: { counts: { rows: 20, evalRows: 4 } } },
      { type: 'inspected', preview: { counts: { rows: 20, evalRows: 4 } } },
      { type: 'inspected', preview: { counts: { rows: 19, evalRows: 1 } } },
    ]);
  });

  test.each<[string, (asked: InspectCommand) => Partial<InspectCommand>]>([
    ['another mask', ({ config }) => ({ config: { ...config, mask: 'all' } })],
    ['other columns', ({ config }) => ({ config: { ...config, columns: { prompt: 'prompt', completion: 'completion' } } })],
    ['other data', () => ({ data: rowsOf(21) })],
    ['a held-out file', () => ({ data: withHeldOut(counting(text('One'), 1).file) })],
    ['another model', () => ({ model: { kind: 'builtin', id: 'wordsmith-2m' } })],
  ])('are not for a run with %s, and are let go', async (_, change) => {
    const { made, ask } = inspector();
    const asked = question(1, ROWS);
    await ask(asked);
    expect(made.handOver({ ...asked, ...change(asked) })).toBeNull();
    expect(made.handOver(asked)).toBeNull();
  });

  test('go to a run of the same, once', async () => {
    const { made, ask } = inspector();
    const asked = question(1, ROWS);
    await ask(asked);
    expect(made.handOver({ ...asked, config: { ...asked.config, seqLen: 32, seed: 9 } })?.data.rowCount).toBe(20);
    expect(made.handOver(asked)).toBeNull();
  });
});

describe('what takes long', () => {
  const LONG = 30_000;

  test('gives way to a newer question, which alone is answered', async () => {
    const { ask, events } = inspector();
    const first = ask(question(1, rowsOf(LONG)));
    await vi.waitFor(() => expect(events.some((event) => event.type === 'inspecting')).toBe(true), { timeout: 20_000, interval: 5 });
    const asked = performance.now();
    await Promise.all([first, ask(question(2, rowsOf(10)))]);
    // Counting the first to its end takes seconds.
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(events.filter(({ type }) => type === 'inspected')).toMatchObject([{ id: 2 }]);
    const news = events.filter((event) => event.type === 'inspecting');
    expect(news.every(({ id, fraction }) => id === 1 && fraction > 0 && fraction < 1)).toBe(true);
  });

  test('is ended without an answer by a start', async () => {
    const { made, ask, events } = inspector();
    const asked = ask(question(1, rowsOf(LONG)));
    await vi.waitFor(() => expect(events.some((event) => event.type === 'inspecting')).toBe(true), { timeout: 20_000, interval: 5 });
    expect(made.handOver(question(1, rowsOf(LONG)))).toBeNull();
    await asked;
    expect(events.every(({ type }) => type === 'inspecting')).toBe(true);
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
