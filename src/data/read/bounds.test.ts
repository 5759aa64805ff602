// Inputs that are small on disk and could be large in work: many columns, and texts that are tokenized in pieces.

import process from 'node:process';
import { expect, test } from 'vitest';
import { builtinTokenizer, variant } from '../../testing/tokenizers';
import { finish, readData } from '../../testing/whole-data';
import { DataReader } from './parse';
import { DataEncoder } from '../tokenize/encoding';
import { rowEncoder } from '../sample/samples';

test('a header of 60,000 columns takes time in proportion, and 200 of them are listed; one of a million is refused', () => {
  const names = Array.from({ length: 60_000 }, (_, i) => `column ${i}`);
  // Processor time, since other tests run beside this one.
  const used = (): number => process.cpuUsage().user / 1000;
  const begun = used();
  const read = readData({ name: 'wide.csv', text: `${names.join(',')}\n` }, null);
  const twice = readData({ name: 'wide.csv', text: `${names.join(',')},column 7\n` }, null);
  // Minutes, where the header is searched for each of its columns.
  expect(used() - begun).toBeLessThan(6000);
  expect(read.refusal?.detail).toContain("the header has the columns 'column 0'");
  expect(twice.refusal?.detail).toContain("names column 'column 7' twice");
  expect(read.columns).toHaveLength(200);
  const wide = readData({ name: 'wide.csv', text: `${'c,'.repeat(999_999)}c\n` }, null);
  expect(wide.refusal?.detail).toContain('the header has 1000000 columns');
});

test.each([
  ['a line', 'a.jsonl', '{"text":"', '"}\n{"text":"next"}\n', 1],
  ['an element', 'a.json', '[{"text":"', '"},\n{"text":"next"}]', 1],
  ['an object', 'a.json', '{\n"text":"', '"}\n{\n"text":"next"}', 1],
])('%s of 80 million characters is refused and not kept; the next row is read', (_, name, begin, end, line) => {
  const reader = new DataReader(name, null);
  const piece = 'x'.repeat(2 ** 20);
  const before = process.memoryUsage().heapUsed;
  const rows = [...reader.push(begin)];
  for (let i = 0; i < 80; i++) rows.push(...reader.push(piece));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2e8);
  rows.push(...reader.push(end), ...reader.end());
  expect(rows).toMatchObject([{ kind: 'text', text: 'next' }]);
  expect(reader.facts().badRows).toMatchObject([{ row: line, reason: 'the row is longer than 67 million characters' }]);
});

test('a table of one line of 64 million characters is not searched at every piece', () => {
  const reader = new DataReader('a.csv', null);
  const piece = 'x'.repeat(2 ** 16);
  const begun = process.cpuUsage().user;
  for (let i = 0; i < 1000; i++) expect([...reader.push(piece)]).toEqual([]);
  // 30 s, if it is.
  expect((process.cpuUsage().user - begun) / 1e6).toBeLessThan(8);
});

test.each([
  ['byte-level', builtinTokenizer()],
  ['with a start token', variant({ template: null, config: { add_bos_token: true } })],
])('%s: a long text has the tokens that it would have in one go', (_, tokenizer) => {
  const text = Array.from({ length: 24_000 }, (_, i) => `${['The ', 'isn’t ', '12 ', '你好 ', '\n', '🙂, '][i % 6]}word number ${i}`).join(
    ' ',
  );
  expect(text.length).toBeGreaterThan(2 ** 18);
  const row = { kind: 'text', text, row: 1 } as const;
  const encoder = new DataEncoder(tokenizer, 'all');
  finish(encoder.addRow(row));
  const whole = rowEncoder(tokenizer, { mask: 'all', continuous: false })(row, 1);
  if ('reason' in whole) throw new Error(whole.reason);
  const made = encoder.store.sample(0, encoder.store.length);
  // Compared as bytes: item by item takes long.
  for (const key of ['ids', 'target'] as const)
    expect(Buffer.compare(Buffer.from(made[key].buffer), Buffer.from(whole[0][key].buffer))).toBe(0);
  expect(encoder.lengths).toEqual([whole[0].ids.length]);
  expect(encoder.roughCuts).toBe(0);
});
