import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { buildMicroBatch } from '../data/batch/batch';
import type { Sample } from '../data/read/types';
import { nodeSource } from '../io/node/source';
import { FIRST_BYTE, temporaryFolder, tinyTokenizerJson, writeTinyModel } from '../testing/tiny-folder';
import { openTiny, textRows, TINY_CONFIG, tinyInputs } from '../testing/tiny-session';
import { prepareInputs, type DataBytes, type RunInputs } from './prepare';

const folder = temporaryFolder('prepare');
afterAll(() => folder.remove());

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)].map((byte) => byte + FIRST_BYTE);
const dataOf = (name: string, text: string): DataBytes => ({ name, bytes: new TextEncoder().encode(text) });
const inputsOf = (change: Partial<RunConfig>, data: DataBytes): Promise<RunInputs> =>
  tinyInputs(folder.path, 'tiny-llama', { ...TINY_CONFIG, ...change }, data);

const TEXT = 'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.';

describe('a .txt file with shuffle off', () => {
  const config = { method: 'full', seqLen: 16, batchSize: 1, shuffle: false, steps: 2, warmup: 0, saveEvery: 0, evalEvery: 0 } as const;

  test('step 1 trains on its first T + 1 tokens, step 2 on the next T', async () => {
    const inputs = await inputsOf(config, dataOf('two-cities.txt', TEXT));
    const tokens = bytesOf(TEXT);
    expect([...inputs.dataset.train.at(0)!.ids]).toEqual(tokens.slice(0, 17));
    const { host, session } = await openTiny(inputs);
    try {
      // What the untouched model loses on those tokens, computed from the file and not from the run's samples.
      const first: Sample = { ids: Uint32Array.from(tokens.slice(0, 17)), target: new Uint8Array(17).fill(1, 1) };
      const loss = (await session.engine.evaluate(buildMicroBatch([[first]]))) / 16;
      let second = NaN;
      host.onGate = async (): Promise<'go'> => {
        if (session.state.completed === 1) {
          await session.drain();
          const next: Sample = { ids: Uint32Array.from(tokens.slice(16, 33)), target: first.target };
          second = (await session.engine.evaluate(buildMicroBatch([[next]]))) / 16;
        }
        return 'go';
      };
      await session.run();
      expect(host.steps.map((step) => [step.tokens, step.targets])).toEqual([
        [16, 16],
        [16, 16],
      ]);
      expect(host.steps[0].loss).toBeCloseTo(loss, 5);
      expect(host.steps[1].loss).toBeCloseTo(second, 5);
      expect(Math.abs(second - loss)).toBeGreaterThan(1e-3);
    } finally {
      session.close();
    }
  });

  test('its end is held out, and the default prompt comes from there', async () => {
    const { dataset, prompts } = await inputsOf({ ...config, evalSplit: 0.3, prompts: [] }, dataOf('two-cities.txt', TEXT));
    const held = TEXT.slice(dataset.train.length * 16);
    expect([...dataset.evaluation.at(0)!.ids]).toEqual(bytesOf(held).slice(0, 17));
    expect(prompts.length).toBe(1);
    expect(held).toContain(prompts[0].text);
    expect(prompts[0].ids).toEqual(bytesOf(prompts[0].text));
  });
});

describe('prompts', () => {
  const chat = (count: number): string =>
    Array.from({ length: count }, (_, i) => JSON.stringify({ prompt: `Question ${i}?`, completion: `Answer ${i}.` })).join('\n');

  test('plain data: a prompt is text to continue, as it was given', async () => {
    const { prompts } = await inputsOf({ prompts: ['Once', 'Twice é'] }, textRows(4));
    expect(prompts).toEqual(['Once', 'Twice é'].map((text) => ({ text, ids: bytesOf(text) })));
  });

  test('chat data: a user message, up to where the assistant begins', async () => {
    const [user, assistant] = ['user', 'assistant'].map((role) => ({ role, content: 'Oh' }));
    const row = JSON.stringify({ messages: [user, assistant] });
    const { prompts, tokenizer } = await inputsOf({ prompts: ['Why?'], seqLen: 60 }, dataOf('chat.jsonl', `${row}\n${row}\n`));
    const text = tokenizer.decode([...prompts[0].ids]);
    expect(prompts[0].text).toBe('Why?');
    expect(text).toContain('Why?');
    expect(text.length).toBeGreaterThan('Why?'.length);
  });

  test('prompts and completions of a model without a chat template: the text as it is', async () => {
    const { prompts, chat: asChat, tokenizer } = await inputsOf({ prompts: ['Why?'], seqLen: 60 }, dataOf('chat.jsonl', chat(3)));
    expect(asChat).toBe(false);
    expect(tokenizer.decode([...prompts[0].ids])).toBe('Why?');
  });

  test('by default a row that the run does not train on', async () => {
    const { prompts, dataset, tokenizer } = await inputsOf({ prompts: [], evalSplit: 0.25, seqLen: 60 }, dataOf('chat.jsonl', chat(12)));
    const train = [...dataset.train].map(({ ids }) => tokenizer.decode([...ids]));
    const held = [...dataset.evaluation].map(({ ids }) => tokenizer.decode([...ids]));
    expect(held.length).toBe(3);
    expect(prompts).toHaveLength(3);
    for (const { text } of prompts) {
      expect(held.some((row) => row.includes(text))).toBe(true);
      expect(train.some((row) => row.includes(text))).toBe(false);
    }
  });

  test('by default from the evaluation file if there is one, and from the data if nothing is held out', async () => {
    const model = await nodeSource(writeTinyModel(join(folder.path, 'm'), 'tiny-llama'));
    const config = { ...TINY_CONFIG, prompts: [] };
    const both = await prepareInputs(config, { model, data: textRows(4), evalData: dataOf('e.jsonl', '{"text":"held out words"}\n') });
    expect(both.prompts.map(({ text }) => text)).toEqual(['held out']);
    const none = await prepareInputs({ ...config, evalSplit: 0 }, { model, data: textRows(4), evalData: null });
    expect(none.prompts.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  test('there is a default prompt even if the held-out rows of a long file lie behind those that are kept as text', async () => {
    const long = textRows(1200);
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { prompts, dataset } = await inputsOf({ prompts: [], evalSplit: 1 / 1200, seed }, long);
      expect(dataset.evaluation.length).toBe(1);
      expect(prompts.length, `seed ${seed}`).toBeGreaterThan(0);
    }
  });

  test('an empty one is refused under its name', async () => {
    await expect(inputsOf({ prompts: [''] }, textRows(4))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringContaining('prompts') as string,
    });
  });
});

describe('what is refused', () => {
  test('a model folder without tokenizer', async () => {
    const model = await nodeSource(writeTinyModel(join(folder.path, 'bare'), 'tiny-llama', { 'tokenizer.json': null }));
    await expect(prepareInputs(TINY_CONFIG, { model, data: textRows(4), evalData: null })).rejects.toMatchObject({
      code: 'TOKENIZER',
      detail: expect.stringContaining('tokenizer.json') as string,
    });
  });

  test('data whose tokens the model does not have', async () => {
    const tokenizer = tinyTokenizerJson((id) => (id === FIRST_BYTE + 'z'.charCodeAt(0) ? 301 : id));
    const model = await nodeSource(writeTinyModel(join(folder.path, 'wide'), 'tiny-llama', { 'tokenizer.json': tokenizer }));
    const run = (text: string): Promise<RunInputs> =>
      prepareInputs({ ...TINY_CONFIG, evalSplit: 0 }, { model, data: dataOf('r.jsonl', JSON.stringify({ text })), evalData: null });
    await expect(run('plain words')).resolves.toBeDefined();
    await expect(run('a zebra')).rejects.toMatchObject({ code: 'TOKEN_RANGE', detail: expect.stringContaining('301') as string });
  });

  test('settings that the model cannot have, by the name that the caller gives them', async () => {
    mkdirSync(join(folder.path, 'x'), { recursive: true });
    writeFileSync(join(folder.path, 'x', 'unused'), '');
    const model = await nodeSource(writeTinyModel(join(folder.path, 'x'), 'tiny-llama'));
    const label = (key: string): string => `<${key}>`;
    const run = (change: Partial<RunConfig>): Promise<RunInputs> =>
      prepareInputs({ ...TINY_CONFIG, ...change }, { model, data: textRows(4), evalData: null }, { label });
    await expect(run({ lisaLayers: 5 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringContaining('<lisaLayers>: γ = 5') as string,
    });
    await expect(run({ seqLen: 65 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringContaining('<seqLen>: 65 tokens') as string,
    });
    await expect(run({ lr: -1 })).rejects.toMatchObject({ detail: expect.stringContaining('<lr>') as string });
    // γ matters to LISA only.
    await expect(run({ lisaLayers: 5, method: 'full' })).resolves.toBeDefined();
  });
});
