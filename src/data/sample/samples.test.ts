// Rows to samples, splits and the whole preparation: lengths, counts, windows, what is held out.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import type { DataConfig } from './dataset';
import { finish, parseData, type ParsedData, prepareData } from '../../testing/whole-data';
import { copiesOf } from './duplicates';
import { buildSamples, type SampleOptions } from '../../testing/data-samples';
import { builtinTokenizer, ROOT, variant } from '../../testing/tokenizers';
import { cutDocument, longest, rowEncoder } from './samples';
import { heldCount, splitAtEnd, splittingAtRandom } from './split';
import { TokenStore } from '../batch/token-store';
import type { DataRow, Sample } from '../read/types';
import { errorOf } from '../../testing/error-of';

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
    expect(buildSamples(rows, tokenizer, { ...options, mask: 'all' }).stats.dropped).toBe(1);
  });

  it('no target at all is NO_TARGETS', () => {
    const error = errorOf(() => buildSamples([{ kind: 'chat', messages: [{ role: 'user', content: 'alone' }] }], tokenizer, options));
    expect(error).toMatchObject({ code: 'NO_TARGETS', detail: 'No token of d.jsonl counts toward the loss.' });
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

  it('keep the order and follow the seed', () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const split = finish(splittingAtRandom(items, 0.2, 7));
    expect(split.held).toHaveLength(10);
    expect([...split.train, ...split.held].toSorted((a, b) => a - b)).toEqual(items);
    for (const part of [split.train, split.held]) expect(part).toEqual(part.toSorted((a, b) => a - b));
    expect(finish(splittingAtRandom(items, 0.2, 7))).toEqual(split);
    expect(finish(splittingAtRandom(items, 0.2, 8)).held).not.toEqual(split.held);
  });

  it('take the end of one continuous text', () => {
    expect(splitAtEnd([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.2)).toEqual({ train: [1, 2, 3, 4, 5, 6, 7, 8], held: [9, 10] });
  });
});

describe('start and end tokens', () => {
  it('are not written twice where a text brings them along', () => {
    const both = variant({ template: null, config: { add_bos_token: true } });
    const row = (text: string): DataRow => ({ kind: 'text', text });
    const encode = rowEncoder(both, { mask: 'all', continuous: false });
    const [bare, brought] = ['word', '<|endoftext|>word<|im_end|>'].map((text, i) => {
      const parts = encode(row(text), i + 1);
      return 'reason' in parts ? [] : [...parts[0].ids];
    });
    expect([bare[0], bare.at(-1)]).toEqual([both.bosId, both.eosId]);
    expect(brought).toEqual(bare);
  });
});

describe('rows of several samples', () => {
  // The last answer only is in capitals.
  const rewriting = variant({
    template:
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + ('! ' if loop.last and m.role == 'assistant' else '') + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  });
  const turns = (i: number) =>
    ['a', 'b'].flatMap((q) => [
      { role: 'user', content: `${q}${i}` },
      { role: 'assistant', content: `answer ${q}${i}` },
    ]);
  const text = Array.from({ length: 20 }, (_, i) => JSON.stringify({ messages: turns(i) })).join('\n');

  it('are counted as rows, told of, and held out together', () => {
    const parsed = parseData({ name: 'a.jsonl', text }, { badRows: 'refuse' });
    const { train, evaluation, summary } = prepareData(parsed, null, rewriting, { ...DEFAULTS, evalSplit: 0.2 });
    expect(summary).toMatchObject({ rows: 16, evalRows: 4, perAnswer: 20, dropped: 0 });
    expect([train.length, evaluation.length]).toEqual([32, 8]);
    const conversation = (ids: Uint32Array): string | undefined => /[ab](\d+)/.exec(rewriting.decode([...ids]))?.[1];
    const held = new Set(evaluation.map(({ ids }) => conversation(ids)));
    expect(held.size).toBe(4);
    expect(train.some(({ ids }) => held.has(conversation(ids)))).toBe(false);
  });
});

describe('duplicates', () => {
  const rows = (name: string, texts: readonly string[]): ParsedData =>
    parseData({ name, text: texts.map((value) => JSON.stringify({ text: value })).join('\n') }, { badRows: 'refuse' });
  const numbered = Array.from({ length: 200 }, (_, i) => `This is row ${i % 120}.`);
  const of = (texts: readonly string[], held: readonly string[] | null, change: Partial<DataConfig> = {}): ReturnType<typeof prepareData> =>
    prepareData(rows('a.jsonl', texts), held && rows('b.jsonl', held), tokenizer, { ...DEFAULTS, ...change });
  const keys = (samples: readonly Sample[]): string[] => samples.map(({ ids }) => ids.join());

  it('copiesOf tells equal ids from equal hashes', () => {
    const document = (...ids: number[]) => {
      const store = new TokenStore(10);
      store.push(ids, (i) => i % 2 === 1);
      // Every hash is the same here.
      return { store, starts: [0], lengths: [ids.length], hash: 7 };
    };
    const train = [document(1, 2), document(1, 2, 0), document(2, 1), document(), document(1, 2)];
    expect(copiesOf(train, [document(1, 2), document(7)])).toEqual([train[0], train[4]]);
    expect(copiesOf(train, [document()])).toEqual([train[3]]);
    expect(copiesOf(train, [])).toEqual([]);
    expect(train[0].store.hash([0], [2])).not.toBe(train[2].store.hash([0], [2]));
  });

  it('a split leaves no copy of a held-out row in training', () => {
    const { train, evaluation, summary, duplicates } = of(numbered, null, { evalSplit: 0.1 });
    expect(evaluation).toHaveLength(20);
    expect(duplicates).toBeGreaterThan(0);
    expect(summary).toMatchObject({ rows: 180 - duplicates, evalRows: 20, duplicates });
    const held = new Set(keys(evaluation));
    expect(keys(train).filter((key) => held.has(key))).toEqual([]);
  });

  it('with dedupe off they stay, and are counted all the same', () => {
    const on = of(numbered, null, { evalSplit: 0.1 });
    const off = of(numbered, null, { evalSplit: 0.1, dedupe: false });
    expect(off.evaluation).toEqual(on.evaluation);
    expect(off.summary).toMatchObject({ rows: 180, evalRows: 20, duplicates: on.duplicates });
  });

  it('copies of rows of a separate evaluation file leave training too', () => {
    const held = ['This is row 3.', 'This is row 4.', 'No copy of this.'];
    const on = of(numbered, held);
    expect(on.summary).toMatchObject({ rows: 196, evalRows: 3, duplicates: 4 });
    const off = of(numbered, held, { dedupe: false });
    expect(off.summary).toMatchObject({ rows: 200, evalRows: 3, duplicates: 4 });
    expect(keys(off.train).filter((key) => !keys(on.train).includes(key))).toHaveLength(4);
  });

  it('nothing is held out where all rows are copies of each other', () => {
    expect(of(['a b', 'a b', 'a b'], null, { evalSplit: 0.3 }).summary).toMatchObject({ rows: 3, evalRows: 0, duplicates: 0 });
  });

  it('an evaluation file with every row of the data leaves nothing to train on', () => {
    expect(errorOf(() => of(['a b', 'c d'], ['c d', 'a b']))).toMatchObject({
      code: 'NO_TARGETS',
      detail: expect.stringMatching(/Every row of a\.jsonl is also in b\.jsonl/) as string,
    });
    expect(of(['a b', 'c d'], ['c d', 'a b'], { dedupe: false }).summary).toMatchObject({ rows: 2, evalRows: 2, duplicates: 2 });
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
      unread: {},
      ending: { of: 'turn', token: { id: 2, text: '<|im_end|>' }, stopIds: [2, 0] },
      duplicates: 0,
      dropped: 0,
      perAnswer: 0,
      badRows: 0,
      distinct: 1687,
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
    const file = (name: string) => parseData({ name, text: `{"text":"a b c d of ${name}"}\nbroken` }, { badRows: 'skip' });
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

it('the length of a row of several samples is that of its longest', () => {
  const parts = [3, 5, 4].map((length) => ({ ids: new Uint32Array(length), target: new Uint8Array(length) }));
  expect(longest(parts)).toBe(5);
});
