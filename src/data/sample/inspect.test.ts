// The preview: it is what a run would do (the same counts and samples as prepareData), and it refuses nothing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { AppError } from '../../base/errors';
import { builtinTokenizer, ROOT, variant } from '../../testing/tokenizers';
import { previewHead, previewing, type InspectConfig } from './inspect';
import { loadingStream } from './loading';
import type { DataHead, DataPreview } from './preview';
import { parseData, type DataFile, prepareData, inspectData, finish } from '../../testing/whole-data';

const tokenizer = builtinTokenizer();
const config = (change: Partial<InspectConfig> = {}): InspectConfig => ({ ...DEFAULTS, ...change });
const file = (text: string, name = 'd.jsonl'): DataFile => ({ name, text });
const lines = (...rows: unknown[]): string => rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n');
const chat = (question: string, answer: string) => ({ prompt: question, completion: answer });
const inspect = (data: DataFile, change: Partial<InspectConfig> = {}, evaluation: DataFile | null = null): DataPreview =>
  inspectData({ data, evaluation, tokenizer, config: config(change) });
const builtin = (name: string): DataFile => file(readFileSync(join(ROOT, 'public/data', name), 'utf8'), name);

/** What a run does with the same input: its data, or its refusal. */
function runOf(data: DataFile, settings: InspectConfig, evaluation: DataFile | null = null) {
  try {
    const parse = (one: DataFile) => parseData(one, settings);
    return prepareData(parse(data), evaluation && parse(evaluation), tokenizer, settings);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

describe('the built-in data', () => {
  const [data, evaluation] = [builtin('devils-dictionary.jsonl'), builtin('devils-dictionary.eval.jsonl')];
  const preview = inspect(data, {}, evaluation);

  test('has the counts of a run', () => {
    const run = runOf(data, config(), evaluation);
    if (run instanceof AppError) throw run;
    const { name, format, ending, unread, ...counts } = run.summary;
    expect(preview).toMatchObject({ name, format, ending, unread, columns: ['messages'], badRows: [], refusal: null, template: 'model' });
    expect(preview.counts).toEqual({ ...counts, samples: run.train.length });
    expect(preview.counts).toMatchObject({ rows: 826, evalRows: 43, duplicates: 0 });
    expect(preview.lengths).toMatchObject({ ...run.lengths, beyond: 0 });
    expect(preview.lengths.bins.reduce((sum, count) => sum + count, 0)).toBe(826);
  });

  test('shows its first rows as the samples that are trained on, the answers alone with a loss', () => {
    const run = runOf(data, config(), evaluation);
    if (run instanceof AppError) throw run;
    expect(preview.rows).toHaveLength(50);
    for (const [i, { tokens, use, length }] of preview.rows.entries()) {
      const sample = run.train[i];
      expect(tokens.map(({ id }) => id)).toEqual([...sample.ids]);
      expect(tokens.map(({ target }) => Number(target))).toEqual([...sample.target]);
      expect(tokens.map(({ text }) => text).join('')).toBe(tokenizer.decode([...sample.ids]));
      expect(length).toBeGreaterThanOrEqual(tokens.length);
      expect(use).toBe('training');
    }
    const { row, tokens } = preview.rows[0];
    const words = (target: boolean): string =>
      tokens
        .filter((token) => token.target === target)
        .map(({ text }) => text)
        .join('');
    expect(words(true)).toBe(`${row.kind === 'chat' ? row.messages[1].content : ''}<|im_end|>`);
    expect(words(false)).toContain('Define: ABASEMENT');
    expect(tokens.filter(({ special }) => special).map(({ text }) => text)).toEqual([
      '<|im_start|>',
      '<|im_end|>',
      '<|im_start|>',
      '<|im_end|>',
    ]);
  });
});

describe('what becomes of a row', () => {
  test('held out, a copy of a held-out row, dropped', () => {
    const texts = Array.from({ length: 40 }, (_, i) => ({ text: `This is row ${i % 25}.` }));
    const data = file(lines(...texts, { messages: [{ role: 'user', content: 'no answer' }] }));
    const preview = inspect(data, { evalSplit: 0.2 });
    const uses = (use: string): number => preview.rows.filter((row) => row.use === use).length;
    expect(uses('evaluation')).toBe(preview.counts.evalRows);
    expect(uses('duplicate')).toBe(preview.counts.duplicates);
    expect(preview.counts.duplicates).toBeGreaterThan(0);
    expect(uses('training')).toBe(preview.counts.rows);
    expect(preview.rows.at(-1)).toMatchObject({ use: 'dropped', row: { row: 41 } });
    expect(preview.rows.at(-1)?.tokens.some(({ target }) => target)).toBe(false);
  });

  test('rows of a separate evaluation file are held out, and their copies marked', () => {
    const preview = inspect(file(lines({ text: 'a b' }, { text: 'c d' })), {}, file(lines({ text: 'c d' }), 'e.jsonl'));
    expect(preview.rows.map(({ use }) => use)).toEqual(['training', 'duplicate']);
    expect(preview.counts).toMatchObject({ rows: 1, evalRows: 1, duplicates: 1 });
  });

  test('a conversation is shown as it is cut, with the length that it had', () => {
    const preview = inspect(file(lines(chat('Hi', 'The state of the Union. '.repeat(20)))), { seqLen: 16 });
    expect(preview.rows[0].tokens).toHaveLength(17);
    expect(preview.rows[0].length).toBeGreaterThan(100);
    expect(preview.counts.truncated).toBe(1);
  });

  test('of one continuous text, windows; the last ones are held out', () => {
    const text = 'It was the best of times, it was the worst of times. '.repeat(30);
    const preview = inspect(file(text, 'cities.txt'), { seqLen: 32, evalSplit: 0.2 });
    expect(preview).toMatchObject({ format: 'plain', columns: [], template: 'none', refusal: null });
    expect(preview.rows).toHaveLength(Math.min(50, preview.counts.rows + Math.min(5, preview.counts.evalRows)));
    expect(preview.rows[0].row).toMatchObject({ row: 1 });
    const first = preview.rows[0].row;
    expect(first.kind === 'text' && text.startsWith(first.text)).toBe(true);
    const held = preview.rows.find(({ use }) => use === 'evaluation');
    expect(held?.row.row).toBe(preview.counts.rows + 1);
  });
});

describe('data that a run refuses is shown all the same', () => {
  const refusalOf = (data: DataFile, change: Partial<InspectConfig> = {}): DataPreview => {
    const preview = inspect(data, change);
    const run = runOf(data, config(change));
    expect(run).toBeInstanceOf(AppError);
    expect(preview.refusal).toEqual((run as AppError).toInfo());
    return preview;
  };

  test('bad rows are listed, and the first is the refusal unless they are skipped', () => {
    const data = file(lines({ text: 'a b c' }, 'broken', { text: 3 }, { text: 'd e f' }));
    const preview = refusalOf(data);
    expect(preview.badRows.map(({ row }) => row)).toEqual([2, 3]);
    expect(preview.counts).toMatchObject({ rows: 1, evalRows: 1, badRows: 2 });
    expect(inspect(data, { badRows: 'skip' }).refusal).toBeNull();
  });

  test('rows that the chat template refuses are bad rows', () => {
    const strict = variant({ template: "{{ raise_exception('no') if messages[0].content == 'bad' else messages[0].content }}" });
    const data = file(lines({ prompt: 'bad', completion: 'x' }, { messages: [{ role: 'user', content: 'good one' }] }));
    const preview = inspectData({ data, evaluation: null, tokenizer: strict, config: config({ mask: 'all' }) });
    expect(preview.badRows).toMatchObject([{ row: 1, reason: expect.stringContaining('refuses') as string }]);
    expect(preview.rows.map(({ row }) => row.row)).toEqual([2]);
    expect(preview.refusal).toMatchObject({ code: 'DATASET_PARSE' });
  });

  test('unknown columns: none of it can be read, but the columns are there to be mapped', () => {
    const data = file(lines({ question: 'q', answer: 'a' }, { question: 'r', answer: 'b' }));
    expect(refusalOf(data)).toMatchObject({ format: null, rows: [], columns: ['question', 'answer'] });
    expect(refusalOf(data, { badRows: 'skip' }).counts).toMatchObject({ rows: 0, badRows: 2 });
    const mapped = inspect(data, { columns: { prompt: 'question', completion: 'answer' } });
    expect(mapped).toMatchObject({ format: 'prompt_completion', refusal: null, counts: { rows: 1, evalRows: 1 } });
    expect(refusalOf(file('Frage,Antwort\nq,a', 'd.csv'))).toMatchObject({ columns: ['Frage', 'Antwort'], rows: [] });
  });

  test('nothing to learn: the rows are shown without a loss', () => {
    const preview = refusalOf(file(lines(chat('The state of the Union. '.repeat(10), 'too late'))), { seqLen: 8 });
    expect(preview.refusal?.code).toBe('NO_TARGETS');
    expect(preview.rows[0]).toMatchObject({ use: 'dropped' });
    expect(preview.rows[0].tokens).toHaveLength(9);
  });

  test('an empty file', () => {
    expect(refusalOf(file('\n')).refusal?.code).toBe('DATASET_EMPTY');
    expect(refusalOf(file('', 'a.txt')).refusal?.code).toBe('DATASET_EMPTY');
  });
});

test('the first rows are told early, and the share done only grows', async () => {
  const data = file(lines(...Array.from({ length: 300 }, (_, i) => chat(`Question ${i}`, `Answer ${i}.`))));
  const bytes = new TextEncoder().encode(data.text);
  // In pieces that cut lines and characters anywhere.
  const stream = {
    name: data.name,
    size: bytes.length,
    // oxlint-disable-next-line typescript/require-await
    async *chunks() {
      for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
    },
  };
  const steps: { fraction: number; head: DataHead | null }[] = [];
  const work = loadingStream(stream, tokenizer, config());
  for (;;) {
    const { done, value } = await work.next();
    if (done) {
      expect(finish(previewing({ data: value, evaluation: null }, tokenizer, config()))).toEqual(inspect(data));
      break;
    }
    steps.push({ fraction: value.fraction, head: previewHead(value.sofar(), tokenizer, config()) });
  }
  expect(steps.length).toBeGreaterThan(8);
  const fractions = steps.map(({ fraction }) => fraction);
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  expect(fractions.at(-1)).toBe(1);
  expect(fractions[steps.findIndex(({ head }) => head !== null)]).toBeLessThan(0.1);
});

const seed = 77;
test(`counts, samples and refusals are those of a run, whatever the file (150 files, seed ${seed})`, () => {
  const text = fc.oneof(fc.constantFrom('a b c', 'The state of the Union is a matter of record.', '', '🙂'), fc.string({ maxLength: 30 }));
  const row = fc.oneof(
    { weight: 4, arbitrary: fc.record({ prompt: text, completion: text }) },
    { weight: 3, arbitrary: fc.record({ text }) },
    { weight: 1, arbitrary: fc.record({ question: text, answer: text }) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>('broken', 7, { text: 1 }, {}) },
  );
  const settings = fc.record({
    seqLen: fc.constantFrom(2, 8, 64),
    mask: fc.constantFrom('assistant', 'all'),
    badRows: fc.constantFrom('refuse', 'skip'),
    evalSplit: fc.constantFrom(0, 0.1, 0.5),
    seed: fc.nat(5),
    dedupe: fc.boolean(),
    columns: fc.constantFrom(null, { prompt: 'question', completion: 'answer' }),
  }) as fc.Arbitrary<InspectConfig>;
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 12 }),
      fc.option(fc.array(row, { minLength: 1, maxLength: 4 })),
      settings,
      (rows, held, chosen) => {
        const data = file(lines(...rows));
        const evaluation = held && file(lines(...held), 'e.jsonl');
        const preview = inspectData({ data, evaluation, tokenizer, config: chosen });
        const run = runOf(data, chosen, evaluation);
        if (run instanceof AppError) {
          expect(preview.refusal).toEqual(run.toInfo());
          return;
        }
        expect(preview.refusal).toBeNull();
        const { name, format, ending, unread, ...counts } = run.summary;
        expect(preview).toMatchObject({ name, format, ending, unread });
        expect(preview.counts).toEqual({ ...counts, samples: run.train.length });
        // The samples of the rows that are trained on, in order, are among those of the run.
        const samples = new Set(run.train.map(({ ids, target }) => `${ids.join()}|${target.join()}`));
        for (const { tokens, use } of preview.rows) {
          expect(tokens.map((token) => token.text).join('')).toBe(tokenizer.decode(tokens.map(({ id }) => id)));
          const key = `${tokens.map(({ id }) => id).join()}|${tokens.map(({ target }) => Number(target)).join()}`;
          if (use === 'training') expect(samples.has(key)).toBe(true);
        }
      },
    ),
    { numRuns: 150, seed },
  );
});
