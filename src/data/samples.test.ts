// Rows to samples, splits and the whole preparation: lengths, counts, windows, what is held out.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../config';
import { AppError } from '../errors';
import { prepareData } from './dataset';
import { builtinTokenizer, ROOT, variant } from './fixtures/tokenizers';
import { parseData } from './parse';
import { buildSamples, cutDocument, encodeRows, type SampleOptions } from './samples';
import { heldCount, splitAtEnd, splitAtRandom } from './split';
import type { DataRow, Sample } from './types';

const tokenizer = builtinTokenizer();
const options: SampleOptions = { seqLen: 16, mask: 'assistant', badRows: 'refuse', name: 'd.jsonl', continuous: false };
const chat = (question: string, answer: string): DataRow => ({
  kind: 'chat',
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
});
const text = (value: string): DataRow => ({ kind: 'text', text: value });
const LONG = 'The state of the Union is a matter of record and of the people. '.repeat(8);

function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('samples', () => {
  it('a text row gets its end token, and its start token where the tokenizer wants one', () => {
    const ids = tokenizer.encode('A short text.');
    const [sample] = buildSamples([text('A short text.')], tokenizer, options).samples;
    expect([...sample.ids]).toEqual([...ids, 2]);
    expect([...sample.target]).toEqual([0, ...ids.slice(1).map(() => 1), 1]);
    const withStart = variant({ template: null, config: { add_bos_token: true } });
    expect([...buildSamples([text('A short text.')], withStart, options).samples[0].ids]).toEqual([0, ...ids, 2]);
  });

  it('a continuous text is its tokens and nothing else, whatever the tokenizer wants', () => {
    const withStart = variant({ template: null, config: { add_bos_token: true } });
    for (const one of [tokenizer, withStart]) {
      const { samples } = buildSamples([text(LONG)], one, { ...options, continuous: true });
      const ids = tokenizer.encode(LONG);
      expect([...samples[0].ids]).toEqual(ids.slice(0, 17));
      expect([...samples[1].ids]).toEqual(ids.slice(16, 33));
    }
  });

  it.each([2, 3, 16, 17, 18, 32, 33, 34, 100])(
    'windows of a text of %i tokens predict every token but the first exactly once',
    (length) => {
      const ids = Uint32Array.from({ length }, (_, i) => i);
      const windows = cutDocument({ ids, target: new Uint8Array(length).fill(1, 1) }, 16);
      const predicted = windows.flatMap((window) => [...window.ids].filter((_, i) => window.target[i]));
      expect(predicted).toEqual([...ids.slice(1)]);
      for (const window of windows) {
        expect(window.ids.length).toBeGreaterThanOrEqual(2);
        expect(window.ids.length).toBeLessThanOrEqual(17);
        expect(window.target[0]).toBe(0);
      }
    },
  );

  it('cuts a long conversation and counts it; drops one that has no target left and counts it', () => {
    const rows = [
      chat('Hi', LONG),
      chat(LONG, 'too late'),
      chat('Hi', 'Ho'),
      { kind: 'chat', messages: [{ role: 'user', content: 'alone' }] } as const,
      text(''),
    ];
    const { samples, stats } = buildSamples(rows, tokenizer, options);
    expect(samples).toHaveLength(2);
    expect(samples[0].ids).toHaveLength(17);
    expect(stats).toMatchObject({ samples: 2, truncated: 2, dropped: 3, refused: [] });
    expect(stats.tokens).toBe(16 + samples[1].ids.length - 1);
    expect(stats.targets).toBe([...samples[0].target, ...samples[1].target].filter(Boolean).length);
    expect(stats.lengths.max).toBeGreaterThan(100);
    expect(encodeRows(rows, tokenizer, { ...options, mask: 'all' }).dropped).toBe(1);
  });

  it('no target at all is NO_TARGETS', () => {
    const error = errorOf(() => buildSamples([{ kind: 'chat', messages: [{ role: 'user', content: 'alone' }] }], tokenizer, options));
    expect(error).toMatchObject({ code: 'NO_TARGETS', detail: 'No token of d.jsonl carries a loss.' });
  });

  it('a row that the template refuses is named, or skipped', () => {
    const strict = variant({
      template:
        "{% if messages[0].role != 'user' %}{{ raise_exception('begin with the user') }}{% endif %}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}",
    });
    const rows: DataRow[] = [
      { ...chat('a', 'b'), row: 4 },
      { kind: 'chat', messages: [{ role: 'assistant', content: 'x' }], row: 9 },
    ];
    expect(errorOf(() => buildSamples(rows, strict, options))).toMatchObject({
      code: 'DATASET_PARSE',
      detail: expect.stringMatching(/^d\.jsonl, row 9: .*begin with the user\.$/) as string,
    });
    const { samples, stats } = buildSamples(rows, strict, { ...options, badRows: 'skip' });
    expect(samples).toHaveLength(1);
    expect(stats.refused).toMatchObject([{ row: 9 }]);
  });
});

describe('splits', () => {
  it('hold out the share, at least one, at most half, none of one', () => {
    expect([
      heldCount(100, 0.05),
      heldCount(3, 0.05),
      heldCount(2, 0.5),
      heldCount(3, 0.5),
      heldCount(1, 0.5),
      heldCount(10, 0),
      heldCount(0, 0.5),
    ]).toEqual([5, 1, 1, 1, 0, 0, 0]);
  });

  const key = (item: string): string => item;
  it('keep the order, follow the seed, and leave no copy of a held-out item in training', () => {
    const items = Array.from({ length: 200 }, (_, i) => `row ${i % 120}`);
    const split = splitAtRandom(items, key, 0.1, 7);
    expect(split.held).toHaveLength(20);
    expect(split.train.filter((item) => split.held.includes(item))).toEqual([]);
    expect(split.duplicates).toBeGreaterThan(0);
    expect(split.train.length + split.held.length + split.duplicates).toBe(200);
    const places = split.train.map((item) => items.indexOf(item));
    expect(splitAtRandom(items, key, 0.1, 7)).toEqual(split);
    expect(splitAtRandom(items, key, 0.1, 8).held).not.toEqual(split.held);
    const distinct = Array.from({ length: 50 }, (_, i) => String(i).padStart(2, '0'));
    const plain = splitAtRandom(distinct, key, 0.2, 1);
    expect(plain.train).toEqual(plain.train.toSorted());
    expect(plain.held).toEqual(plain.held.toSorted());
    expect(plain.duplicates).toBe(0);
    expect(places.length).toBe(split.train.length);
  });

  it('hold out nothing where all items are copies', () => {
    expect(splitAtRandom(['a', 'a', 'a'], key, 0.3, 1)).toEqual({ train: ['a', 'a', 'a'], held: [], duplicates: 0 });
  });

  it('take the end of one continuous text', () => {
    expect(splitAtEnd([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.2)).toEqual({ train: [1, 2, 3, 4, 5, 6, 7, 8], held: [9, 10], duplicates: 0 });
  });
});

describe('preparation', () => {
  const read = (name: string): ReturnType<typeof parseData> =>
    parseData({ name, text: readFileSync(join(ROOT, 'public/data', name), 'utf8') }, { badRows: 'refuse' });
  const targets = (samples: readonly Sample[]): number => samples.reduce((sum, { target }) => sum + target.reduce((a, b) => a + b, 0), 0);

  it('of the built-in data gives its numbers', () => {
    const { train, evaluation, summary, lengths } = prepareData(
      read('devils-dictionary.jsonl'),
      read('devils-dictionary.eval.jsonl'),
      tokenizer,
      DEFAULTS,
    );
    expect(summary).toEqual({
      name: 'devils-dictionary.jsonl',
      format: 'messages',
      rows: 826,
      evalRows: 43,
      tokens: summary.tokens,
      targets: targets(train),
      truncated: summary.truncated,
      duplicates: 0,
      dropped: 0,
      badRows: 0,
    });
    expect(train).toHaveLength(826);
    expect(evaluation).toHaveLength(43);
    // The longest conversation has 162 tokens; rows hold 128.
    expect(lengths.max).toBe(162);
    expect(summary.truncated).toBeGreaterThan(0);
    expect(Math.max(...train.map((sample) => sample.ids.length))).toBe(129);
    expect(prepareData(read('devils-dictionary.jsonl'), null, tokenizer, { ...DEFAULTS, seqLen: 256 }).summary).toMatchObject({
      rows: 785,
      evalRows: 41,
      truncated: 0,
    });
  });

  it('of one text holds out its last windows', () => {
    const parsed = parseData({ name: 'a.txt', text: LONG }, { badRows: 'refuse' });
    const { train, evaluation, summary } = prepareData(parsed, null, tokenizer, { ...DEFAULTS, seqLen: 16, evalSplit: 0.25 });
    const ids = tokenizer.encode(LONG);
    expect([...train[0].ids]).toEqual(ids.slice(0, 17));
    expect(evaluation.at(-1)?.ids.at(-1)).toBe(ids.at(-1));
    expect(targets(train) + targets(evaluation)).toBe(ids.length - 1);
    expect(summary).toMatchObject({ format: 'plain', rows: train.length, evalRows: evaluation.length, truncated: 0, dropped: 0 });
    expect(prepareData(parsed, null, tokenizer, { ...DEFAULTS, evalSplit: 0 }).evaluation).toEqual([]);
  });

  it('counts what was skipped in every file', () => {
    const file = (name: string) => parseData({ name, text: '{"text":"a b c d"}\nbroken' }, { badRows: 'skip' });
    const { summary, badRows } = prepareData(file('a.jsonl'), file('b.jsonl'), tokenizer, { ...DEFAULTS, badRows: 'skip' });
    expect(summary).toMatchObject({ badRows: 2, rows: 1, evalRows: 1 });
    expect(badRows).toHaveLength(2);
  });

  it('names the file that has no target', () => {
    const good = parseData({ name: 'a.jsonl', text: '{"text":"a b c d"}' }, { badRows: 'refuse' });
    const none = parseData({ name: 'b.jsonl', text: '{"messages":[{"role":"user","content":"a"}]}' }, { badRows: 'refuse' });
    expect(errorOf(() => prepareData(good, none, tokenizer, DEFAULTS))).toMatchObject({
      code: 'NO_TARGETS',
      detail: expect.stringContaining('b.jsonl') as string,
    });
  });
});
