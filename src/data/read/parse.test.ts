// Files to rows: every accepted shape, every refusal with its row and field, CSV by RFC 4180, and random input, which
// must end in rows or in an AppError and nothing else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../base/errors';
import { csvRecords } from './csv';
import { parseData } from '../../testing/whole-data';
import { bytesStream, textPieces } from './text-stream';
import type { DataRow, Message } from './types';
import { errorOf } from '../../testing/error-of';

const refuse = { badRows: 'refuse' } as const;
const skip = { badRows: 'skip' } as const;
const jsonl = (...values: unknown[]): { name: string; text: string } => ({
  name: 'd.jsonl',
  text: values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n'),
});
const csv = (text: string): { name: string; text: string } => ({ name: 'd.csv', text });

const messages = (row: DataRow): readonly Message[] => (row.kind === 'chat' ? row.messages : []);
const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });

describe('JSON lines', () => {
  it('reads the four shapes, mixed, and passes over blank lines, CRLF and a byte order mark', () => {
    const text = `\ufeff${JSON.stringify({ messages: [user('a'), assistant('b')] })}\r\n\r\n${JSON.stringify({ prompt: 'p', completion: 'c' })}\n  \n${JSON.stringify({ instruction: 'i', input: 'x', output: 'o' })}\n${JSON.stringify({ instruction: 'i', input: '', output: 'o' })}\n${JSON.stringify({ instruction: 'i', output: 'o' })}\n${JSON.stringify({ text: 't\u2028u' })}\n`;
    const parsed = parseData({ name: 'dir/D.JSONL', text }, refuse);
    expect(parsed.format).toBe('mixed');
    expect(parsed.badRows).toEqual([]);
    expect(parsed.rows.map((row) => row.row)).toEqual([1, 3, 5, 6, 7, 8]);
    expect(parsed.rows.slice(0, 5).map(messages)).toEqual([
      [user('a'), assistant('b')],
      [user('p'), assistant('c')],
      [user('i\n\nx'), assistant('o')],
      [user('i'), assistant('o')],
      [user('i'), assistant('o')],
    ]);
    expect(parsed.rows[5]).toEqual({ kind: 'text', text: 't\u2028u', row: 8 });
  });

  it('names the format where all rows have one', () => {
    expect(parseData(jsonl({ text: 'a' }, { text: 'b' }), refuse).format).toBe('text');
    expect(parseData(jsonl({ instruction: 'a', output: '' }), refuse).format).toBe('instruction');
    expect(parseData(jsonl({ prompt: [user('a')], completion: [assistant('b')] }), refuse)).toMatchObject({
      format: 'prompt_completion',
      rows: [{ messages: [user('a'), assistant('b')] }],
    });
  });

  it('keeps NUL and lone surrogates', () => {
    expect(parseData(jsonl('{"text":"a\\u0000b\\ud800"}'), refuse).rows[0]).toMatchObject({ text: 'a\u0000b\ud800' });
  });

  const bad: [string, unknown, RegExp][] = [
    ['broken JSON', '{"text": "a"', /row 2: the row is not valid JSON/],
    ['a list', [1], /row 2: the row is a list and not an object/],
    ['null', 'null', /row 2: the row is null and not an object/],
    ['a number', '7', /row 2: the row is the number 7/],
    ['no keys', {}, /row 2: the row has no keys; expected messages/],
    ['unknown keys', { question: 1, answer: 2 }, /row 2: the row has the keys question, answer; expected/],
    ['half a shape', { prompt: 'x' }, /row 2: the row has the keys prompt/],
    ['a text that is no string', { text: 5 }, /row 2: text is the number 5 and not a string/],
    ['messages that are no list', { messages: 'x' }, /row 2: messages is 'x' and not a list/],
    ['no messages', { messages: [] }, /row 2: messages is an empty list/],
    ['a message that is none', { messages: [user('a'), 'b'] }, /row 2: messages\[1\] is 'b' and not an object/],
    [
      'an unknown role',
      { messages: [{ role: 'narrator', content: 'a' }] },
      /row 2: messages\[0\].role is 'narrator'; expected system, developer, user, assistant, tool/,
    ],
    ['no role', { messages: [{ content: 'a' }] }, /row 2: messages\[0\].role is missing/],
    ['no content', { messages: [{ role: 'user' }] }, /row 2: messages\[0\].content is missing/],
    [
      'an answer under another key',
      { messages: [user('a'), { role: 'assistant', answer: 'b' }] },
      /row 2: messages\[1\].content is missing/,
    ],
    [
      'content that is a number',
      { messages: [{ role: 'user', content: 5 }] },
      /row 2: messages\[0\].content is the number 5 and not a string/,
    ],
    ['a completion that is null', { prompt: 'a', completion: null }, /row 2: completion is null/],
    ['an input that is a number', { instruction: 'a', input: 1, output: 'b' }, /row 2: input is the number 1/],
    ['a key that only the prototype has', { __proto__: null, toString: 1 }, /row 2: the row has the keys toString/],
  ];
  it.each(bad)('%s is refused with file, row and field, or skipped and counted', (_, value, message) => {
    const file = jsonl({ text: 'a' }, value, { text: 'c' });
    const error = errorOf(() => parseData(file, refuse));
    expect(error.code).toBe('DATASET_PARSE');
    expect(error.detail).toMatch(/^d\.jsonl, /);
    expect(error.detail).toMatch(message);
    expect(error.remedy).not.toBe('');
    const skipped = parseData(file, skip);
    expect(skipped.rows).toHaveLength(2);
    expect(skipped.badRows.map((row) => row.row)).toEqual([2]);
    expect(`row 2: ${skipped.badRows[0].reason}`).toMatch(message);
  });

  it.each(['', ' \n\n', '\ufeff'])('%j is DATASET_EMPTY', (text) => {
    for (const ending of ['jsonl', 'csv', 'txt'])
      expect(errorOf(() => parseData({ name: `d.${ending}`, text }, refuse)).code).toBe('DATASET_EMPTY');
  });

  it('nothing but skipped rows is DATASET_EMPTY and says how many', () => {
    expect(errorOf(() => parseData(jsonl('[1', '{y'), skip))).toMatchObject({
      code: 'DATASET_EMPTY',
      detail: 'All 2 rows of d.jsonl are malformed.',
    });
  });
});

describe('plain text', () => {
  it('is one document, unchanged but for the byte order mark', () => {
    expect(parseData({ name: 'a.txt', text: '\ufeff one\r\ntwo\n' }, refuse)).toEqual({
      name: 'a.txt',
      format: 'plain',
      rows: [{ kind: 'text', text: ' one\r\ntwo\n', row: 1 }],
      badRows: [],
    });
  });

  it('other endings are DATASET_READ', () => {
    for (const name of ['a.pdf', 'a', 'dir.txt/a', 'jsonl'])
      expect(errorOf(() => parseData({ name, text: 'x' }, refuse)).code).toBe('DATASET_READ');
  });
});

describe('CSV', () => {
  it('reads quotes, doubled quotes, commas and line ends inside quotes, all line ends, and a byte order mark', () => {
    const parsed = parseData(csv('\ufeffprompt,completion\r\n"a ""b"", c","line 1\r\nline 2\n"\nplain,"é"\rlast,\n\n'), refuse);
    expect(parsed.format).toBe('csv:prompt_completion');
    expect(parsed.rows.map(messages)).toEqual([
      [user('a "b", c'), assistant('line 1\r\nline 2\n')],
      [user('plain'), assistant('é')],
      [user('last'), assistant('')],
    ]);
    expect(parsed.rows.map((row) => row.row)).toEqual([2, 5, 6]);
  });

  it('finds columns in any order and case and ignores others', () => {
    expect(parseData(csv('id, Output ,INSTRUCTION,input\n1,o,i,x'), refuse).rows.map(messages)).toEqual([[user('i\n\nx'), assistant('o')]]);
    expect(parseData(csv('text\n""\nx'), refuse).rows).toMatchObject([{ text: '' }, { text: 'x' }]);
    const cell = JSON.stringify([user('a'), assistant('b')]).replaceAll('"', '""');
    expect(parseData(csv(`messages\n"${cell}"`), refuse)).toMatchObject({
      format: 'csv:messages',
      rows: [{ messages: [user('a'), assistant('b')] }],
    });
  });

  const bad: [string, string, number, RegExp][] = [
    ['a quote inside an unquoted field', 'text,id\nok,1\nsay "x",2\nok,3', 3, /column 1 \(text\) is malformed: it has a quote/],
    ['text after the closing quote', 'text,id\nok,1\n"x"y,2\nok,3', 3, /column 1 \(text\) is malformed: there is text after/],
    ['too few fields', 'text,id\nok,1\nx\nok,3', 3, /has 1 fields where the header has 2/],
    ['too many fields', 'text,id\nok,1\nx,2,3\nok,3', 3, /has 3 fields/],
    [
      'a messages column that is no JSON',
      'messages,id\n"[{""role"":""user"",""content"":""a""}]",1\n[,2',
      3,
      /column messages is not valid JSON/,
    ],
    ['a quote that never closes', 'text,id\nok,1\n"x,2\nok,3', 3, /opening quote is never closed/],
  ];
  it.each(bad)('%s is refused with its row and column, or skipped', (_, text, row, message) => {
    const error = errorOf(() => parseData(csv(text), refuse));
    expect(error.code).toBe('DATASET_PARSE');
    expect(error.detail).toMatch(new RegExp(`^d\\.csv, row ${row}: `));
    expect(error.detail).toMatch(message);
    const skipped = parseData(csv(text), skip);
    expect(skipped.badRows).toHaveLength(1);
    expect(skipped.rows.length).toBeGreaterThan(0);
  });

  it("a header without known columns is the file's fault, skipping or not", () => {
    for (const text of ['a,b\n1,2', 'prompt;answers\n1;2', 'text,text\n1,2', '"text\n1']) {
      for (const mode of [refuse, skip]) expect(errorOf(() => parseData(csv(text), mode))).toMatchObject({ code: 'DATASET_PARSE' });
    }
    expect(errorOf(() => parseData(csv('prompt;answers\n1;2'), refuse)).detail).toContain("'prompt', 'answers'");
  });

  it('a header without rows is DATASET_EMPTY', () => {
    expect(errorOf(() => parseData(csv('text\n'), refuse)).code).toBe('DATASET_EMPTY');
  });

  it('gives back what a writer of RFC 4180 wrote', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é') });
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n'),
        (table, end) => {
          const text = table.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join(end);
          expect([...csvRecords(text)].map((record) => record.fields)).toEqual(table);
        },
      ),
      { numRuns: 500, seed: 21 },
    );
  });
});

async function decoded(bytes: Uint8Array): Promise<string> {
  let whole = '';
  for await (const { text } of textPieces(bytesStream('a.txt', bytes))) whole += text;
  return whole;
}

describe('bytes', () => {
  it('decodes UTF-8 and drops the byte order mark', async () => {
    expect(await decoded(new Uint8Array([0xef, 0xbb, 0xbf, 0xc3, 0xa9]))).toBe('é');
  });

  it('names the line that is not UTF-8', async () => {
    await expect(decoded(Uint8Array.from([97, 10, 98, 10, 99, 0xe9, 10, 100]))).rejects.toMatchObject({
      code: 'DATASET_PARSE',
      detail: 'a.txt, row 3: the text is not valid UTF-8.',
    });
    await expect(decoded(new Uint8Array([0xff, 0xfe, 97, 0]))).rejects.toThrow('UTF-16');
    await expect(decoded(new Uint8Array([97, 0xe2, 0x82]))).rejects.toThrow('row 1');
  });
});

describe('random files', () => {
  const seed = 20260;
  const outcome = (name: string, text: string): void => {
    for (const mode of [refuse, skip]) {
      try {
        const parsed = parseData({ name, text }, mode);
        expect(parsed.rows.length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        expect(error.remedy).not.toBe('');
      }
    }
  };
  const key = fc.constantFrom('messages', 'prompt', 'completion', 'instruction', 'input', 'output', 'text', 'role', 'content', '__proto__');
  const scalar = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom<unknown>(null, 1, true, [], {}));
  const message = fc.dictionary(
    fc.constantFrom('role', 'content', 'name'),
    fc.oneof(fc.constantFrom('user', 'assistant', 'nobody'), scalar),
  );
  const record = fc.dictionary(key, fc.oneof(scalar, fc.array(message, { maxLength: 3 })), { maxKeys: 4 });
  const nearMiss = fc.oneof(
    record.map((value) => JSON.stringify(value)),
    fc.json({ maxDepth: 1 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );

  it(`JSON lines end in rows or an AppError (3000 files, seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.array(nearMiss, { maxLength: 5 }), (lines) => outcome('f.jsonl', lines.join('\n'))),
      { numRuns: 3000, seed },
    );
  });

  it(`CSV ends in rows or an AppError (3000 files, seed ${seed})`, () => {
    const piece = fc.constantFrom('"', '""', ',', '\n', '\r\n', '\r', 'a', '\u0000', '\ud800', ' ', 'messages', '{}');
    fc.assert(
      fc.property(
        fc.constantFrom('text\n', 'text,id\n', 'prompt,completion\r\n', 'messages\n', ''),
        fc.array(piece, { maxLength: 30 }),
        (header, pieces) => outcome('f.csv', header + pieces.join('')),
      ),
      { numRuns: 3000, seed },
    );
  });

  it(`bytes decode or name a row (2000 files, seed ${seed})`, async () => {
    const rowOrText = async (bytes: Uint8Array): Promise<string> =>
      decoded(bytes).catch((error: unknown) => {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).detail).toMatch(/row \d+/);
        return '';
      });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const text = await rowOrText(bytes);
        if (text !== '') expect(text).toBe(new TextDecoder().decode(bytes));
      }),
      { numRuns: 2000, seed },
    );
  });
});

describe('files that others write', () => {
  const read = (text: string, name = 'd.json') => parseData({ name, text }, { badRows: 'refuse' });

  it('ShareGPT: conversations of from and value', () => {
    const conversations = [
      { from: 'system', value: 'Be brief.' },
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Ho' },
    ];
    const { rows, format } = read(JSON.stringify({ id: 1, conversations }));
    expect(format).toBe('messages');
    expect(rows).toEqual([
      {
        kind: 'chat',
        row: 1,
        unread: ['id'],
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Ho' },
        ],
      },
    ]);
    expect(() => read('{"conversations":[{"from":"alien","value":"x"}]}')).toThrow(/conversations\[0\].from is 'alien'/);
  });

  it('one list of rows, over one line or many, with the lines of its rows', () => {
    const values = [{ text: 'a, "b" ] \\' }, { text: '[{' }, { text: 'c' }];
    for (const text of [JSON.stringify(values), JSON.stringify(values, null, 2), ` \n${JSON.stringify(values)}\n`]) {
      expect(read(text).rows.map((row) => row.kind === 'text' && row.text)).toEqual(values.map(({ text: one }) => one));
    }
    expect(read(JSON.stringify(values, null, 2)).rows.map(({ row }) => row)).toEqual([2, 5, 8]);
    expect(() => read('[{"text":"a"},{"text":}]')).toThrow(/row 1: the row is not valid JSON/);
    expect(() => read('[{"text":"a"}')).toThrow(/never closed/);
    expect(() => read('[{"text":"a"}] x')).toThrow(/continues after/);
    expect(() => read('[]')).toThrow(/contains no data/);
  });
});
