// Inputs that are small on disk and could be large in work: many columns, and texts that are tokenized in pieces.

import process from 'node:process';
import { expect, test } from 'vitest';
import { builtinTokenizer, variant } from '../../testing/tokenizers';
import { finish, readData } from '../../testing/whole-data';
import { DataEncoder } from '../tokenize/encoding';
import { rowEncoder } from '../sample/samples';

test('a header of 100,000 columns takes time in proportion, and 200 of them are listed', () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `column ${i}`);
  // Processor time, since other tests run beside this one.
  const used = (): number => process.cpuUsage().user / 1000;
  const begun = used();
  const read = readData({ name: 'wide.csv', text: `${names.join(',')}\n` }, null);
  const twice = readData({ name: 'wide.csv', text: `${names.join(',')},column 7\n` }, null);
  // Minutes, where the header is searched for each of its columns.
  expect(used() - begun).toBeLessThan(10_000);
  expect(read.refusal?.detail).toContain("the header has the columns 'column 0'");
  expect(twice.refusal?.detail).toContain("names column 'column 7' twice");
  expect(read.columns).toHaveLength(200);
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
