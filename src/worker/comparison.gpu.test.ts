// Base and tuned model side by side, through the worker's service: what each says, in which order, and what it costs.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { openModel } from '../io/sources/model-files';
import { nodeSource } from '../io/node/source';
import { parseModelConfig } from '../model/config';
import { elementsOf } from '../model/types';
import { inferenceForecast } from '../plan/forecast-inference';
import { spyOnBuffers, type BufferSpy } from '../testing/buffer-spy';
import { halfModelFile, temporaryFolder, TINY_TOKENIZER_CONFIG, writeTinyModel } from '../testing/tiny-folder';
import { pickedData, pickedModel, TestPage } from '../testing/tiny-service';
import { TINY_CONFIG } from '../testing/tiny-session';
import type { CompareRequest, Event } from './protocol';
import type { DataSource, ModelSource } from '../io/sources/run-sources';

const folder = temporaryFolder('comparison');
afterAll(() => folder.remove());

const MODEL = pickedModel(folder.path, 'tiny-llama');
const CONFIG: RunConfig = { ...TINY_CONFIG, steps: 4, saveEvery: 0, evalEvery: 0, sampleAt: 'ends', sampleTokens: 12, prompts: ['one'] };
const request = (content: string, change: Partial<CompareRequest> = {}): CompareRequest => ({
  base: [{ role: 'user', content }],
  tuned: [{ role: 'user', content }],
  temperature: 0,
  seed: 3,
  maxTokens: 12,
  ...change,
});

let spy: BufferSpy;
beforeAll(async () => {
  spy = spyOnBuffers((await nodeLab()).gpu);
});
afterAll(() => spy.end());

type ReplyEvent = Extract<Event, { type: 'reply' }>;
const repliesTo = (page: TestPage, id: number): ReplyEvent[] =>
  page.events.filter((event): event is ReplyEvent => event.type === 'reply' && event.id === id);
const failureOf = (page: TestPage, id: number): Promise<Extract<Event, { type: 'compareFailed' }>> =>
  page.next((event) => (event.type === 'compareFailed' && event.id === id ? event : undefined), 0);

/** Both whole answers. */
async function answers(page: TestPage, id: number, asked: CompareRequest): Promise<{ base: string; tuned: string }> {
  const last = page.next((event) => (event.type === 'reply' && event.id === id && event.side === 'tuned' && event.done) || undefined);
  await page.send({ type: 'compare', runId: 'a', id, request: asked });
  await last;
  const done = repliesTo(page, id).filter((reply) => reply.done);
  expect(done.map(({ side }) => side)).toEqual(['base', 'tuned']);
  return { base: done[0].text, tuned: done[1].text };
}

async function finished(config: RunConfig = CONFIG, model: ModelSource = MODEL, data: DataSource = pickedData(4)): Promise<TestPage> {
  const page = new TestPage();
  await page.send({ type: 'open', base: 'http://localhost/' });
  await page.next(({ type }) => type === 'speed' || undefined, 0);
  await page.start('a', config, model, data);
  await page.nextOf('a', 'done', undefined, 0);
  return page;
}

const samples = (page: TestPage): string[] => page.runEvents('a').flatMap((event) => (event.type === 'sample' ? event.sample.text : []));

describe('answers', () => {
  test.each(['lisa', 'lora', 'full'] as const)(
    '%s: the base says what it said before training, the tuned one what it said after',
    async (method) => {
      const page = await finished({ ...CONFIG, method, lr: method === 'lora' ? 5e-2 : 1e-2, steps: 12 });
      const [before, after] = samples(page);
      expect(await answers(page, 1, request('one'))).toEqual({ base: before, tuned: after });
      expect(before).not.toBe(after);
      await page.send({ type: 'discard' });
      expect(spy.live()).toBe(0);
    },
  );

  test('chats go through the model’s template, whatever was asked before', async () => {
    const template = `{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;
    const path = writeTinyModel(join(folder.path, 'chat'), 'tiny-llama', {
      'tokenizer_config.json': JSON.stringify({ ...(JSON.parse(TINY_TOKENIZER_CONFIG) as object), chat_template: template }),
    });
    const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    const model: ModelSource = {
      kind: 'files',
      name: 'chat',
      files: files.map((name) => new File([readFileSync(join(path, name))], name)),
    };
    const rows = ['a', 'b', 'c', 'd'].map((text) => JSON.stringify({ prompt: text, completion: text + text }));
    const data: DataSource = { kind: 'file', file: new File([rows.join('\n')], 'chats.jsonl') };
    const page = await finished({ ...CONFIG, seqLen: 40 }, model, data);
    const [before, after] = samples(page);
    const first = await answers(page, 1, request('one'));
    expect(first).toEqual({ base: before, tuned: after });
    // A conversation is one prompt: the second answer follows from all of it, on each side from its own.
    const next = (reply: string): CompareRequest['base'] => [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: reply },
      { role: 'user', content: 'two' },
    ];
    const second = await answers(page, 2, request('', { base: next(first.base), tuned: next(first.tuned) }));
    const alone = await answers(page, 3, request('two'));
    expect(second).not.toEqual(alone);
    expect(await answers(page, 4, request('', { base: next(first.base), tuned: next(first.tuned) }))).toEqual(second);
    await page.send({ type: 'discard' });
  });

  test('with a temperature both draw with the same seed, and another seed draws otherwise', async () => {
    // A run that hardly trains anything: both sides are the same model, so the same draws are the same words.
    const page = await finished({ ...CONFIG, lr: 1e-12, warmup: 0, steps: 1 });
    const warm = { temperature: 1.5 };
    const once = await answers(page, 1, request('one', warm));
    expect(once.base).toBe(once.tuned);
    expect(await answers(page, 2, request('one', warm))).toEqual(once);
    expect(await answers(page, 3, request('one', { ...warm, seed: 4 }))).not.toEqual(once);
    await page.send({ type: 'discard' });
  });
});

describe('one question at a time', () => {
  // One page for all of them, so that a test sees what an earlier one left behind.
  let page: TestPage;
  beforeAll(async () => {
    page = await finished({ ...CONFIG, seqLen: 30 });
  });
  afterAll(() => page.send({ type: 'discard' }));

  test('a newer one replaces an older, and is answered', async () => {
    void page.send({ type: 'compare', runId: 'a', id: 1, request: request('one') });
    const both = await answers(page, 2, request('one'));
    expect(repliesTo(page, 1).some(({ side, done }) => side === 'tuned' && done)).toBe(false);
    expect(both).toEqual({ base: samples(page)[0], tuned: samples(page)[1] });
  });

  test('a question that is cancelled while the base loads gets no more events', async () => {
    const page = await finished();
    await page.send({ type: 'compare', runId: 'a', id: 3, request: request('one') });
    await page.send({ type: 'cancelCompare' });
    const told = repliesTo(page, 3).length;
    await answers(page, 4, request('two'));
    expect(repliesTo(page, 3).length).toBe(told);
    expect(page.events.filter(({ type }) => type === 'compareFailed')).toEqual([]);
    await page.send({ type: 'discard' });
  });

  test('the download waits its turn, and both are whole', async () => {
    const files = page.next((event) => (event.type === 'exported' ? event.files : undefined));
    const both = answers(page, 5, request('one'));
    await page.send({ type: 'export', runId: 'a', what: 'model' });
    expect((await files).map(({ name }) => name)).toContain('model.safetensors');
    expect(await both).toEqual({ base: samples(page)[0], tuned: samples(page)[1] });
  });

  test('a question that cannot be asked fails, and the next one does not', async () => {
    await page.send({ type: 'compare', runId: 'a', id: 7, request: request('') });
    expect((await failureOf(page, 7)).error).toMatchObject({ code: 'CONFIG_INVALID' });
    await answers(page, 8, request('one'));
  });

  test('answers come in pieces, ten a second at most, each continuing the last', async () => {
    const begun = performance.now();
    await answers(page, 9, request('one', { maxTokens: 25, temperature: 2 }));
    const seconds = (performance.now() - begun) / 1000;
    for (const side of ['base', 'tuned'] as const) {
      const replies = repliesTo(page, 9).filter((reply) => reply.side === side);
      expect(replies.filter(({ done }) => !done).length).toBeLessThanOrEqual(10 * seconds + 1);
      replies.slice(1).forEach((reply, at) => {
        expect(reply.tokens).toBeGreaterThanOrEqual(replies[at].tokens);
        expect(reply.text.startsWith(replies[at].text)).toBe(true);
      });
    }
  });

  test('before the run has ended there is nothing to compare', async () => {
    const other = new TestPage();
    await other.send({ type: 'open', base: 'http://localhost/' });
    await other.send({ type: 'compare', runId: 'a', id: 1, request: request('one') });
    expect((await failureOf(other, 1)).error.detail).toBe('The model of this run is not stored in this browser.');
    await other.start('a', { ...CONFIG, steps: 100_000 }, MODEL, pickedData(4));
    await other.nextOf('a', 'step', undefined, 0);
    await other.send({ type: 'compare', runId: 'a', id: 2, request: request('one') });
    expect((await failureOf(other, 2)).error.detail).toBe('This run has not ended.');
    await other.send({ type: 'discard' });
  });
});

describe('memory', () => {
  test('the base takes what was forecast, once, and the next run frees it', async () => {
    const page = await finished();
    const alone = spy.live();
    await answers(page, 1, request('one'));
    const shape = parseModelConfig(JSON.parse(readFileSync(join(folder.path, 'tiny-llama/config.json'), 'utf8')), 'config.json');
    const { total } = inferenceForecast(shape, CONFIG);
    console.info(`base beside the tuned model: ${spy.live() - alone} bytes, forecast ${total}; the run ${alone}`);
    expect(spy.live() - alone).toBe(total);
    await answers(page, 2, request('two'));
    expect(spy.live() - alone).toBe(total);
    await page.start('b', CONFIG, MODEL, pickedData(4));
    await page.nextOf('b', 'done', undefined, 0);
    expect(spy.live()).toBe(alone);
    await page.send({ type: 'discard' });
    expect(spy.live()).toBe(0);
  });

  test.each(['lisa', 'full', 'lora'] as const)(
    '%s: with weights as stored the base is held in 16 bits, and its forecast says so',
    async (method) => {
      const path = writeTinyModel(join(folder.path, 'bf16'), 'tiny-llama', {
        'model.safetensors': await halfModelFile('tiny-llama', 'bf16'),
      });
      const files = readdirSync(path).map((name) => new File([readFileSync(join(path, name))], name));
      const config: RunConfig = {
        ...CONFIG,
        method,
        weightStorage: 'stored',
        lisaLayers: 1,
        alwaysOn: { embedding: false, head: false, norm: true },
      };
      const page = await finished(config, { kind: 'files', name: 'bf16', files });
      const alone = spy.live();
      expect((await answers(page, 1, request('one'))).base).toBe(samples(page)[0]);
      const { shape, types, table } = await openModel(await nodeSource(path));
      const [packed, wide] = [inferenceForecast(shape, config, types), inferenceForecast(shape, config)];
      console.info(`${method}: base of 16-bit weights ${spy.live() - alone} bytes, in f32 it would take ${wide.total}`);
      expect(spy.live() - alone).toBe(packed.total);
      const inHalves = table.filter(({ role }) => role === 'matrix' || role === 'embedding' || role === 'head');
      // Two bytes less per element; padding may add up to 256 bytes per tensor.
      const saved = wide.weights - packed.weights;
      const want = 2 * inHalves.reduce((sum, row) => sum + elementsOf(row), 0);
      expect(Math.abs(saved - want)).toBeLessThanOrEqual(256 * table.length);
      await page.send({ type: 'discard' });
      expect(spy.live()).toBe(0);
    },
  );

  test('without space for it: says what to do, leaves nothing behind, and works when there is room again', async () => {
    const page = await finished();
    const alone = spy.live();
    const { device } = (await nodeLab()).gpu;
    const pop = device.popErrorScope;
    device.popErrorScope = async () => {
      await pop.call(device);
      return { message: 'none left' };
    };
    await page.send({ type: 'compare', runId: 'a', id: 1, request: request('one') });
    const { error } = await failureOf(page, 1);
    device.popErrorScope = pop;
    expect(error.code).toBe('GPU_OOM');
    expect(error.detail).toMatch(/^There is no space for the base model beside the tuned one: it takes 0\.\d MB\. .*embedding/);
    expect(error.remedy).toContain('download it');
    expect(spy.live()).toBe(alone);
    expect(await answers(page, 2, request('one'))).toEqual({ base: samples(page)[0], tuned: samples(page)[1] });
    await page.send({ type: 'discard' });
  });
});
