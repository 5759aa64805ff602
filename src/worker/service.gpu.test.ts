// The worker's service as the page uses it: runs on the software adapter, commands at every awkward moment.

import { crc32 as oracle } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { AppError } from '../base/errors';
import { nodeLab } from '../testing/node-lab';
import type { ModelSource } from '../io/sources/run-sources';
import { spyOnBuffers, type BufferSpy } from '../testing/buffer-spy';
import { temporaryFolder } from '../testing/tiny-folder';
import { pickedData, pickedModel, TestPage } from '../testing/tiny-service';
import { differences, checkpointTensors, MemoryCheckpoints, TINY_CONFIG } from '../testing/tiny-session';
import type { SafetensorsFile } from '../io/formats/safetensors';
import { Session } from '../train/session';
import { UnderWay } from '../train/under-way';

const folder = temporaryFolder('service');
afterAll(() => folder.remove());

const MODEL = pickedModel(folder.path, 'tiny-llama');
const DATA = pickedData(4);
const CONFIG: RunConfig = { ...TINY_CONFIG, saveEvery: 0, evalEvery: 0 };
const LONG: RunConfig = { ...CONFIG, steps: 100_000 };

let spy: BufferSpy;
beforeAll(async () => {
  spy = spyOnBuffers((await nodeLab()).gpu);
});
afterAll(() => spy.end());

async function opened(storage?: MemoryCheckpoints): Promise<TestPage> {
  const page = new TestPage(storage);
  await page.send({ type: 'open', base: 'http://localhost/' });
  // The probe's buffers must not be counted with those of a run.
  await page.next(({ type }) => type === 'speed' || undefined, 0);
  return page;
}

/** A run of its own that has made `step` steps and waits. */
async function paused(page: TestPage, runId: string, config: RunConfig, step: number): Promise<void> {
  const from = page.events.length;
  await page.start(runId, config, MODEL, DATA, true);
  await page.phase(runId, 'paused', from);
  for (let i = 0; i < step; i++) {
    const held = page.phase(runId, 'paused');
    await page.send({ type: 'step' });
    await held;
  }
}

const refusals = (page: TestPage): unknown[] => page.events.filter(({ type }) => type === 'refused');

describe('speed', () => {
  test('is measured after opening, in little time and with nothing left behind', async () => {
    const page = new TestPage();
    const begun = performance.now();
    await page.send({ type: 'open', base: 'http://localhost/' });
    expect(page.events.map(({ type }) => type)).toEqual(['finished', 'opened']);
    const speed = await page.next((event) => (event.type === 'speed' ? event.flopsPerSecond : undefined), 0);
    console.info(`${(speed / 1e9).toFixed(2)} GFLOP/s, told ${(performance.now() - begun).toFixed(0)} ms after the command`);
    expect(speed).toBeGreaterThan(1e7);
    expect(speed).toBeLessThan(1e15);
    expect(spy.live()).toBe(0);
  });

  test('gives way to a start, and does not hold it up', async () => {
    const page = new TestPage();
    void page.send({ type: 'open', base: 'http://localhost/' });
    await page.start('a', { ...CONFIG, steps: 2 }, MODEL, DATA);
    expect(page.events.map(({ type }) => type)).not.toContain('speed');
    await page.nextOf('a', 'done', undefined, 0);
    expect(page.events.map(({ type }) => type)).not.toContain('speed');
    await page.send({ type: 'discard' });
  });
});

describe('save', () => {
  test('while paused: at once, and the run is paused again', async () => {
    const page = await opened();
    await paused(page, 'a', CONFIG, 2);
    const from = page.events.length;
    await page.send({ type: 'save' });
    await page.phase('a', 'paused', from);
    expect(page.runEvents('a').slice(-3)).toEqual([
      { type: 'phase', phase: 'saving' },
      { type: 'checkpoint', step: 2 },
      { type: 'phase', phase: 'paused' },
    ]);
    expect([...page.checkpoints.files.keys()]).toEqual([2]);
    await page.send({ type: 'discard' });
  });

  test('while running: after a step, and the run continues as if it had not been asked', async () => {
    const [asked, plain] = [await opened(), await opened()];
    for (const page of [asked, plain]) await paused(page, 'a', { ...CONFIG, steps: 8 }, 1);
    const done = asked.nextOf('a', 'done');
    await asked.send({ type: 'continue' });
    await asked.send({ type: 'save' });
    const { step } = await asked.nextOf('a', 'checkpoint', undefined, 0);
    const saved = asked.checkpoints.at(step);
    await done;
    expect(step).toBeGreaterThanOrEqual(1);
    expect(step).toBeLessThan(8);
    expect(asked.runEvents('a').filter(({ type }) => type === 'saveFailed')).toEqual([]);

    // The same steps, and a save at the same place while paused is the same file.
    for (let at = 1; at < step; at++) {
      const held = plain.phase('a', 'paused');
      await plain.send({ type: 'step' });
      await held;
    }
    await plain.send({ type: 'save' });
    await plain.nextOf('a', 'checkpoint', undefined, 0);
    expect(differences(await checkpointTensors(saved), await checkpointTensors(plain.checkpoints.at(step)))).toEqual([]);
    await Promise.all([asked, plain].map((page) => page.send({ type: 'discard' })));
  });

  test('asked for twice in a row it is one checkpoint; after the end it is nothing', async () => {
    const page = await opened();
    await paused(page, 'a', CONFIG, 1);
    const from = page.events.length;
    await Promise.all([page.send({ type: 'save' }), page.send({ type: 'save' })]);
    await page.phase('a', 'paused', from);
    await page.send({ type: 'stop' });
    await page.nextOf('a', 'done', undefined, from);
    await page.send({ type: 'save' });
    expect(page.runEvents('a').filter(({ type }) => type === 'checkpoint').length).toBeLessThanOrEqual(2);
    expect(page.runEvents('a').at(-1)?.type).toBe('done');
    expect(refusals(page)).toEqual([]);
    await page.send({ type: 'discard' });
  });
});

test('after a step whose gradient is not finite the run can still end at the last good one, and a start lets it go', async () => {
  const page = await opened();
  const idle = spy.live();
  const { step } = UnderWay.prototype;
  const failed = async (runId: string) => {
    const spied = vi.spyOn(UnderWay.prototype, 'step').mockImplementation(function (this: UnderWay, submitted) {
      const stats = submitted.stats.then((read) => ({ ...read, bad: submitted.step >= 3 }));
      return step.call(this, { ...submitted, stats });
    });
    await page.start(runId, LONG, MODEL, DATA);
    const event = await page.nextOf(runId, 'failed', undefined, 0);
    spied.mockRestore();
    return event;
  };
  const { error, lastGood } = await failed('a');
  expect([error.code, lastGood]).toEqual(['NONFINITE_LOSS', 2]);
  await page.send({ type: 'endAtLastGood', runId: 'a' });
  const { report, stopped } = await page.nextOf('a', 'done', undefined, 0);
  expect([stopped, report.evalLoss.at(-1)?.step]).toEqual([true, 2]);
  expect(Number.isFinite(report.evalLoss.at(-1)?.loss)).toBe(true);
  await page.send({ type: 'export', what: 'delta', runId: 'a' });
  expect(await page.next((event) => (event.type === 'exported' ? event.files.length : undefined), 0)).toBeGreaterThan(0);
  await failed('b');
  const refused = vi.spyOn(Session.prototype, 'endAtLastGood').mockRejectedValue(new AppError('NONFINITE_LOSS', 'Nor these.', ''));
  const from = page.events.length;
  await page.send({ type: 'endAtLastGood', runId: 'b' });
  const { lastGood: none } = await page.nextOf('b', 'failed', undefined, from);
  refused.mockRestore();
  expect([none, spy.live()]).toEqual([undefined, idle]);
  await failed('b');
  await page.start('c', { ...CONFIG, steps: 1, warmup: 0 }, MODEL, DATA);
  await page.nextOf('c', 'done', undefined, 0);
  await page.send({ type: 'discard' });
  expect(spy.live()).toBe(idle);
});

test('importance: measured for the page, refused while a run trains, ended by a cancel and by a start, with nothing left behind', async () => {
  const page = await opened();
  const config: RunConfig = { ...CONFIG, method: 'lora', steps: 1 };
  const measure = (id: number, steps = 1): Promise<void> =>
    page.send({ type: 'measure', id, config: { ...config, steps }, model: MODEL, data: pickedData(300) });
  const answer = (id: number) =>
    page.next((event) => ((event.type === 'measured' || event.type === 'measureFailed') && event.id === id ? event : undefined), 0);
  const idle = spy.live();
  await measure(1, 2);
  expect(await answer(1)).toMatchObject({ type: 'measured', profile: { source: 'lora', steps: 2, model: { name: 'tiny-llama' } } });
  const told = page.events.flatMap((event) => (event.type === 'measuring' && event.progress.phase === 'lora' ? [event.progress.done] : []));
  expect(told).toEqual([1, 2]);
  // Cancelled: no answer, and all memory is free when the command is done.
  await measure(2, 100);
  await page.next((event) => (event.type === 'measuring' && event.id === 2 && event.progress.phase === 'lora' ? true : undefined));
  await page.send({ type: 'cancelMeasure' });
  expect(spy.live()).toBe(idle);
  await measure(3, 100);
  await paused(page, 'run', LONG, 1);
  await measure(4);
  expect(await answer(4)).toMatchObject({ type: 'measureFailed', error: { detail: 'A run is training.' } });
  await page.send({ type: 'discard' });
  expect(page.events.filter((event) => event.type === 'measured').map(({ id }) => id)).toEqual([1]);
  expect(spy.live()).toBe(idle);
});

test('a proof of an ended run: every line holds; cancelled, it gets no answer and frees its memory', async () => {
  const page = await opened();
  await page.start('proof', { ...CONFIG, steps: 2 }, MODEL, DATA);
  await page.nextOf('proof', 'done', () => true, 0);
  const held = spy.live();
  await page.send({ type: 'prove', runId: 'proof' });
  const lines = await page.next((event) => (event.type === 'proved' ? event.lines : undefined), 0);
  expect(lines.map(({ holds }) => holds)).toEqual([true, true, true, true, true, true]);
  expect(spy.live()).toBe(held);
  await page.send({ type: 'prove', runId: 'proof' });
  await page.next((event) => (event.type === 'proving' ? true : undefined));
  await page.send({ type: 'cancelProof' });
  // The run's other uses wait until the proof has let go.
  await page.send({ type: 'export', what: 'delta', runId: 'proof' });
  await page.next((event) => (event.type === 'exported' ? true : undefined), 0);
  expect(spy.live()).toBe(held);
  expect(page.events.filter(({ type }) => type === 'proved' || type === 'proveFailed')).toHaveLength(1);
  await page.send({ type: 'discard' });
});

test('verify while paused: answered at once, and the run is paused again', async () => {
  const page = await opened();
  await paused(page, 'a', CONFIG, 2);
  const from = page.events.length;
  await page.send({ type: 'verify' });
  const { step, frozen, changed } = await page.nextOf('a', 'verified', undefined, from);
  expect({ step, changed }).toEqual({ step: 2, changed: [] });
  expect(frozen.length).toBeGreaterThan(0);
  await page.phase('a', 'paused', from);
  await page.send({ type: 'discard' });
});

/** Refuses to write while `full`. */
class FullCheckpoints extends MemoryCheckpoints {
  full = true;

  override write(step: number, file: SafetensorsFile): Promise<void> {
    if (this.full) return Promise.reject(new AppError('STORAGE', 'There is no room.', 'Free some.'));
    return super.write(step, file);
  }
}

describe('a checkpoint that cannot be written', () => {
  const config = { ...CONFIG, steps: 6, saveEvery: 2 };
  const told = (page: TestPage): string[] =>
    page
      .runEvents('a')
      .flatMap((event) => (event.type === 'saveFailed' || event.type === 'checkpoint' ? `${event.type} ${event.step}` : []));

  async function failing(): Promise<{ page: TestPage; storage: FullCheckpoints }> {
    const storage = new FullCheckpoints();
    const page = await opened(storage);
    await page.start('a', config, MODEL, DATA);
    const { error } = await page.nextOf('a', 'saveFailed', undefined, 0);
    expect(error).toEqual({ code: 'STORAGE', detail: 'There is no room.', remedy: 'Free some.' });
    await page.phase('a', 'paused', 0);
    return { page, storage };
  }

  test('pauses the run; with space again it continues and saves', async () => {
    const { page, storage } = await failing();
    expect(told(page)).toEqual(['saveFailed 2']);
    storage.full = false;
    await page.send({ type: 'continue' });
    await page.nextOf('a', 'done', undefined, 0);
    expect(told(page)).toEqual(['saveFailed 2', 'checkpoint 4']);
    await page.send({ type: 'discard' });
  });

  test('pauses the run; it can continue without checkpoints, and still saves when it is asked to', async () => {
    const { page, storage } = await failing();
    await page.send({ type: 'continue', saving: false });
    await page.nextOf('a', 'done', undefined, 0);
    expect(told(page)).toEqual(['saveFailed 2']);
    expect(page.runEvents('a').at(-1)).toMatchObject({ type: 'done', stopped: false });
    await paused(page, 'a', config, 1);
    storage.full = false;
    await page.send({ type: 'save' });
    await page.nextOf('a', 'checkpoint', undefined, 0);
    expect(told(page)).toEqual(['saveFailed 2', 'checkpoint 1']);
    await page.send({ type: 'discard' });
  });

  test('a model that cannot be stored at the end is told; it is there all the same, and is stored once there is room', async () => {
    const page = await opened();
    page.opfs.quota = 0;
    await page.start('a', { ...config, saveEvery: 4 }, MODEL, DATA);
    await page.nextOf('a', 'done', undefined, 0);
    expect(page.events.find(({ type }) => type === 'keepFailed')).toMatchObject({ runId: 'a', error: { code: 'STORAGE' } });
    // What a reload would find is the last checkpoint.
    expect([...page.checkpoints.files.keys()]).toEqual([4]);
    const answer = page.next(({ type }) => type === 'exported' || undefined);
    await page.send({ type: 'export', runId: 'a', what: 'model' });
    await answer;
    page.opfs.quota = Infinity;
    const kept = page.next((event) => (event.type === 'finished' ? event.runs : undefined));
    await page.send({ type: 'keep' });
    expect(await kept).toMatchObject([{ runId: 'a', step: 6 }]);
    await page.send({ type: 'discard' });
  });
});

test('a finished run gives its model, what it changed, and GGUF; without one an export fails', async () => {
  const page = await opened();
  const failed = page.next((event) => (event.type === 'exportFailed' ? event : undefined));
  await page.send({ type: 'export', runId: 'a', what: 'delta' });
  expect(await failed).toMatchObject({ what: 'delta', error: { detail: 'The model of this run is not stored in this browser.' } });
  await page.start('a', { ...CONFIG, steps: 2 }, MODEL, DATA);
  await page.nextOf('a', 'done', undefined, 0);
  for (const [what, first] of [
    ['model', 'model.safetensors'],
    ['delta', 'delta.safetensors'],
    ['gguf-f16', 'model.gguf'],
  ] as const) {
    const answer = page.next((event) => (event.type === 'exported' ? event : undefined));
    await page.send({ type: 'export', runId: 'a', what });
    const { files, what: told } = await answer;
    expect([told, files[0].name]).toEqual([what, first]);
    const { data, crc32 } = files[0];
    expect(crc32).toBe(what === 'gguf-f16' ? null : oracle(new Uint8Array(await data.arrayBuffer())));
    expect(data.size).toBeGreaterThan(1000);
  }
  await page.send({ type: 'discard' });
});

describe('discard', () => {
  test.each<[string, (page: TestPage) => Promise<unknown>]>([
    ['before anything is loaded', () => Promise.resolve()],
    ['while weights are loaded', (page) => page.phase('a', 'loading', 0)],
    ['while it is evaluated', (page) => page.phase('a', 'evaluating', 0)],
    ['while it samples', (page) => page.phase('a', 'sampling', 0)],
    ['while it trains', (page) => page.nextOf('a', 'step', ({ metrics }) => metrics.step === 3, 0)],
    ['while it saves', (page) => page.phase('a', 'saving', 0)],
    ['when it has saved', (page) => page.nextOf('a', 'checkpoint', undefined, 0)],
  ])('%s: no more events come, the GPU is free, no checkpoint is left', async (_, moment) => {
    const page = await opened();
    await page.start('a', { ...LONG, saveEvery: 2 }, MODEL, DATA);
    await moment(page);
    const discarded = page.send({ type: 'discard' });
    // The command begins in a microtask: events up to there still come.
    await Promise.resolve();
    await Promise.resolve();
    const told = page.events.length;
    await discarded;
    expect(page.events.slice(told)).toEqual([]);
    expect(spy.live()).toBe(0);
    expect(await page.checkpoints.open()).toBeNull();
  });

  test('while paused', async () => {
    const page = await opened();
    await paused(page, 'a', LONG, 1);
    const told = page.events.length;
    await page.send({ type: 'discard' });
    expect(page.events.slice(told)).toEqual([]);
    expect(spy.live()).toBe(0);
  });

  test('of a run that saved nothing leaves the checkpoint of the run before; without a run it takes that one', async () => {
    const page = await opened();
    await paused(page, 'a', LONG, 1);
    await page.send({ type: 'save' });
    await page.nextOf('a', 'checkpoint', undefined, 0);
    await paused(page, 'b', LONG, 1);
    await page.send({ type: 'discard' });
    expect(await page.checkpoints.open()).not.toBeNull();
    await page.send({ type: 'discard' });
    expect(await page.checkpoints.open()).toBeNull();
    expect(refusals(page)).toEqual([]);
  });

  test('start, discard and start in one breath: the last one trains, alone', async () => {
    const page = await opened();
    await paused(page, 'a', LONG, 1);
    void page.start('b', LONG, MODEL, DATA);
    void page.send({ type: 'discard' });
    void page.start('c', { ...CONFIG, steps: 2 }, MODEL, DATA, true);
    void page.send({ type: 'continue' });
    await page.nextOf('c', 'done', undefined, 0);
    expect(page.runEvents('c').flatMap((event) => (event.type === 'step' ? event.metrics.step : []))).toEqual([1, 2]);
    expect(page.runEvents('b').filter(({ type }) => type === 'step')).toEqual([]);
    expect(refusals(page)).toEqual([]);
    await page.send({ type: 'discard' });
    expect(spy.live()).toBe(0);
  });
});

describe('after a crash', () => {
  const FOLDER = pickedModel(folder.path, 'tiny-llama', 'my-model');
  const config = { ...CONFIG, steps: 8, model: 'my-model', data: 'mine.jsonl', measureUpdates: true };
  const offers = (page: TestPage): unknown[] => page.events.filter(({ type }) => type === 'resumable');

  async function exported(page: TestPage, runId = 'a', model?: ModelSource): Promise<Buffer[]> {
    const answer = page.next((event) =>
      event.type === 'exported' ? event.files : event.type === 'exportFailed' ? event.error : undefined,
    );
    await page.send({ type: 'export', runId, what: 'model', ...(model && { model }) });
    const files = await answer;
    if ('code' in files) throw new Error(files.detail);
    return Promise.all(files.map(async ({ data }) => Buffer.from(await data.arrayBuffer())));
  }

  /** A page whose run was saved after step 5 and went on until the page was closed; and the page that is opened then. */
  async function crashed(): Promise<TestPage> {
    const page = await opened();
    await page.start('a', config, FOLDER, pickedData(4, 'mine.jsonl'), true);
    await page.phase('a', 'paused', 0);
    for (let step = 1; step <= 6; step++) {
      if (step === 6) {
        const saved = page.phase('a', 'paused');
        await page.send({ type: 'save' });
        await saved;
      }
      const held = page.phase('a', 'paused');
      await page.send({ type: 'step' });
      await held;
    }
    const next = page.reloaded();
    await page.send({ type: 'discard' });
    await next.send({ type: 'open', base: 'http://localhost/' });
    return next;
  }

  test('a run of an own folder and an own file is offered, needs the folder, and ends bit for bit as it would have', async () => {
    const page = await crashed();
    expect(offers(page)).toEqual([
      { type: 'resumable', runId: 'a', step: 5, steps: 8, config, needsModel: 'my-model', needsDownload: null },
    ]);

    await page.send({ type: 'resume', runId: 'a' });
    expect(page.events.find(({ type }) => type === 'refused')).toMatchObject({
      error: { code: 'CHECKPOINT_MISMATCH', detail: expect.stringContaining('my-model') as string, remedy: 'Choose that folder again.' },
    });
    await page.next((event) => event.type === 'resumable' || undefined, 0);

    const from = page.events.length;
    await page.send({ type: 'resume', runId: 'a', model: pickedModel(folder.path, 'tiny-llama-bias', 'my-model') });
    expect(await page.nextOf('a', 'failed', undefined, from)).toMatchObject({ error: { code: 'CHECKPOINT_MISMATCH' }, savedStep: 5 });
    await page.next((event) => event.type === 'resumable' || undefined, from);

    const again = page.events.length;
    await page.send({ type: 'resume', runId: 'a', model: FOLDER });
    const done = await page.nextOf('a', 'done', undefined, again);
    const whole = await opened();
    await whole.start('b', config, FOLDER, pickedData(4, 'mine.jsonl'));
    const uninterrupted = await whole.nextOf('b', 'done', undefined, 0);
    expect(done.report.evalLoss).toEqual(uninterrupted.report.evalLoss);
    expect(done.report.updates).toEqual(uninterrupted.report.updates);
    expect(await exported(page)).toEqual(await exported(whole, 'b'));
    // Nothing is left of it.
    expect(await page.checkpoints.open()).toBeNull();
    expect([...page.sources.kept.keys()]).toEqual([]);
    await Promise.all([page, whole].map((p) => p.send({ type: 'discard' })));
    expect(spy.live()).toBe(0);
  });

  test.each<[string, Partial<RunConfig>]>([
    ['LISA', {}],
    ['LISA with masters over 8 bits', { weightStorage: 'int8', alwaysOn: { embedding: false, head: false, norm: true } }],
    ['LoRA', { method: 'lora' }],
    ['full, stopped', { method: 'full', steps: 100_000 }],
  ])('an ended run is stored (%s): another page gives the same files, until it is deleted', async (_, changes) => {
    const own = { ...config, ...changes };
    const page = await opened();
    if (own.steps > 100) {
      await page.start('a', own, FOLDER, pickedData(4, 'mine.jsonl'));
      await page.nextOf('a', 'step', undefined, 0);
      await page.send({ type: 'stop' });
    } else await page.start('a', own, FOLDER, pickedData(4, 'mine.jsonl'));
    await page.nextOf('a', 'done', undefined, 0);
    const files = await exported(page);
    const same = async (found: Promise<Buffer[]>): Promise<void> =>
      expect(
        (await found).map((bytes, i) => (bytes.equals(files[i]) ? '' : `${i}: ${bytes.toString('latin1').slice(0, 2000)}`)).join(''),
      ).toBe('');
    const next = page.reloaded();
    await next.send({ type: 'open', base: 'http://localhost/' });
    expect(offers(next)).toEqual([]);
    expect(next.events.find(({ type }) => type === 'finished')).toMatchObject({ runs: [{ runId: 'a', needsModel: 'my-model' }] });
    const refused = next.next((event) => (event.type === 'exportFailed' ? event.error : undefined));
    await next.send({ type: 'export', runId: 'a', what: 'model' });
    expect(await refused).toMatchObject({ remedy: 'Choose that folder again.' });
    await same(exported(next, 'a', FOLDER));
    // A run that starts takes its place, and it can be opened again.
    await next.start('b', { ...CONFIG, steps: 2 }, MODEL, DATA);
    await next.nextOf('b', 'done', undefined, 0);
    await same(exported(next, 'a', FOLDER));
    await next.send({ type: 'forgetModels', runIds: ['a', 'b'] });
    expect(next.opfs.paths.filter((path) => path.startsWith('finished'))).toEqual([]);
    await Promise.all([page, next].map((p) => p.send({ type: 'discard' })));
    expect(spy.live()).toBe(0);
  });

  test.each<[string, (page: TestPage) => void]>([
    ['the checkpoint is damaged', (page) => (page.checkpoints.files.get(5)![9] ^= 1)],
    ['what the run was started from is gone', (page) => page.sources.kept.clear()],
    ['it is another run by now', (page) => page.sources.kept.set('z', page.sources.kept.get('a')!) && page.sources.kept.delete('a')],
  ])('no offer where %s, and no crash', async (_, harm) => {
    const before = await crashed();
    const page = before.reloaded();
    harm(page);
    await page.send({ type: 'open', base: 'http://localhost/' });
    expect(offers(page)).toEqual([]);
    expect(refusals(page)).toEqual([]);
    // And a new run works, and takes its place.
    await page.start('b', { ...CONFIG, steps: 2, saveEvery: 1 }, MODEL, DATA);
    await page.nextOf('b', 'done', undefined, 0);
    await page.send({ type: 'discard' });
  });

  test('a page that is closed before the first checkpoint leaves a copy of the data, and the next one drops it', async () => {
    const page = await opened();
    await paused(page, 'a', LONG, 1);
    const next = page.reloaded();
    await page.send({ type: 'discard' });
    expect([...next.sources.kept.keys()]).toEqual(['a']);
    await next.send({ type: 'open', base: 'http://localhost/' });
    expect([...next.sources.kept.keys()]).toEqual([]);
    // With a checkpoint its own copy stays.
    const saved = await crashed();
    expect([...saved.sources.kept.keys()]).toEqual(['a']);
    expect(offers(saved)).toHaveLength(1);
    // While another tab has a run, nothing is touched and nothing is offered; what it leaves is offered then.
    saved.sources.kept.set('b', saved.sources.kept.get('a')!);
    let taken = true;
    const waits = new TestPage(saved.checkpoints, saved.sources, saved.opfs, {
      acquire: () => Promise.resolve(!taken),
      free: () => Promise.resolve(!taken),
      release: () => undefined,
    });
    await waits.send({ type: 'open', base: 'http://localhost/' });
    expect([...waits.sources.kept.keys()]).toEqual(['a', 'b']);
    expect(offers(waits)).toEqual([]);
    taken = false;
    await waits.next((event) => event.type === 'resumable' || undefined);
  });

  test('a run that never saved leaves nothing behind', async () => {
    const page = await opened();
    await paused(page, 'a', LONG, 1);
    expect([...page.sources.kept.keys()]).toEqual(['a']);
    await paused(page, 'b', LONG, 1);
    expect([...page.sources.kept.keys()]).toEqual(['b']);
    await page.send({ type: 'discard' });
    expect([...page.sources.kept.keys()]).toEqual([]);
  });
});
