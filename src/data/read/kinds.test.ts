// Kinds of files that people bring: each is read as it is meant, or told by name. A row says what the file reads like in the plain form.

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readData } from '../../testing/whole-data';
import { parseRefusal } from './parse';
import { recordToRow } from './rows';
import { bytesStream, textPieces } from './text-stream';

const rowsOf = (text: string, name = 'd.jsonl') => readData({ name, text }, null);
const messagesOf = (record: unknown): unknown => {
  const result = recordToRow(record, 1);
  if ('fault' in result) return `${result.fault.field} ${result.fault.reason}`;
  return result.row.kind === 'chat' ? result.row.messages : result.row.text;
};
const [ask, answer] = [
  { role: 'user', content: 'hi' },
  { role: 'assistant', content: 'hello' },
];

describe('a record', () => {
  test.each<[string, unknown, unknown]>([
    [
      'content in parts',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'h' },
              { type: 'text', text: 'i' },
            ],
          },
          answer,
        ],
      },
      [ask, answer],
    ],
    ['messages as JSON in a text', { messages: JSON.stringify([ask, answer]) }, [ask, answer]],
    [
      'messages as Python writes them',
      { messages: "[{'role': 'user', 'content': 'hi'} {'role': 'assistant', 'content': \"hello\"}]" },
      [ask, answer],
    ],
    ['a list of messages alone', [ask, answer], [ask, answer]],
    [
      'ShareGPT with a system text above',
      {
        system: 'S',
        conversations: [
          { from: 'human', value: 'hi' },
          { from: 'gpt', value: 'hello' },
        ],
      },
      [{ role: 'system', content: 'S' }, ask, answer],
    ],
    [
      'Alpaca with history',
      { instruction: 'hi', input: '', output: 'hello', history: [['a', 'b']] },
      [{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }, ask, answer],
    ],
    ['weight 0', { messages: [ask, { ...answer, weight: 0 }] }, [ask, { ...answer, train: false }]],
    ['train true', { messages: [ask, { ...answer, train: true }] }, [ask, answer]],
    ['a developer', { messages: [{ role: 'developer', content: 'D' }, ask, answer] }, [{ role: 'developer', content: 'D' }, ask, answer]],
    [
      'message lists as prompt and completion',
      { prompt: [ask, answer, ask], completion: [answer] },
      [ask, { ...answer, train: false }, ask, answer],
    ],
    [
      'a call as a turn of its own',
      {
        conversations: [
          { from: 'human', value: 'hi' },
          { from: 'function_call', value: '{"name": "f", "arguments": {"a": 1}}' },
          { from: 'observation', value: '2' },
        ],
      },
      [
        ask,
        {
          role: 'assistant',
          content: '',
          empty: true,
          more: { tool_calls: [{ type: 'function', function: { name: 'f', arguments: { a: 1 } } }] },
        },
        { role: 'tool', content: '2' },
      ],
    ],
    [
      'null beside calls',
      { messages: [ask, { role: 'assistant', content: null, tool_calls: [{ id: '1' }] }] },
      [ask, { role: 'assistant', content: '', empty: true, more: { tool_calls: [{ id: '1' }] } }],
    ],
    ['null alone', { messages: [ask, { role: 'assistant', content: null }] }, 'messages[1].content is null and not a string'],
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      "messages[0].content[0] is of type 'image_url'; only parts of type 'text' are read",
    ],
    ['pictures beside', { images: ['a.png'], messages: [ask, answer] }, 'images is not text, and only text is read'],
    [
      'a weight between',
      { messages: [ask, { ...answer, weight: 0.5 }] },
      'messages[1].weight is the number 0.5; a message counts toward the loss (1) or not (0)',
    ],
    [
      'an unknown role in the words of the file',
      { conversations: [{ from: 'narrator', value: 'x' }] },
      "conversations[0].from is 'narrator'; expected system, developer, user, assistant, tool",
    ],
    ['a bad answer', { prompt: 'a', completion: 'b', label: false }, 'label is false: the row is an example of a bad answer'],
    [
      'history beside messages',
      { messages: [ask, answer], history: [['a', 'b']] },
      'history stands beside messages or a prompt, which are already the whole conversation',
    ],
  ])('%s', (_, record, right) => {
    expect(messagesOf(record)).toEqual(right);
  });

  test('tools, documents and what the template gets stay with the row; other keys are named', () => {
    const result = recordToRow(
      { id: 7, source: '', messages: [ask, answer], tools: '[{"type": "function"}]', chat_template_kwargs: { enable_thinking: false } },
      1,
    );
    expect(result).toMatchObject({
      row: { context: { tools: [{ type: 'function' }], options: { enable_thinking: false } }, unread: ['id'] },
    });
  });
});

const A = { prompt: 'a', completion: 'b' };
const B = { prompt: 'c', completion: 'd;e' };
const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

describe('the framing of a file', () => {
  test.each([
    ['lines', 'd.jsonl', `${JSON.stringify(A)}\n${JSON.stringify(B)}`],
    ['one list', 'd.json', JSON.stringify([A, B])],
    ['one pretty list', 'd.json', pretty([A, B])],
    ['objects over several lines', 'd.jsonl', `${pretty(A)}\n${pretty(B)}\n`],
    ['objects with commas between', 'd.json', `${pretty(A)},\n${pretty(B)}`],
    ['a list on each line', 'd.jsonl', `${JSON.stringify([A])}\n${JSON.stringify([B])}`],
    ['one object around all', 'd.json', JSON.stringify({ version: 1, data: [A, B] })],
    ['the same, pretty', 'd.json', pretty({ data: [A, B] })],
    [
      "LMFlow's instances",
      'd.json',
      JSON.stringify({ type: 'text2text', instances: [A, B].map(({ prompt, completion }) => ({ input: prompt, output: completion })) }),
    ],
    ["the Hub's viewer", 'd.json', JSON.stringify({ features: [], rows: [A, B].map((row, row_idx) => ({ row_idx, row })) })],
    ['a list for each column', 'd.json', JSON.stringify({ prompt: ['a', 'c'], completion: ['b', 'd;e'] })],
    ['a dict for each column', 'd.json', JSON.stringify({ prompt: { 0: 'a', 1: 'c' }, completion: { 0: 'b', 1: 'd;e' } })],
    ['rows by number', 'd.json', JSON.stringify({ 0: A, 1: B })],
    ['commas', 'd.csv', 'prompt,completion\na,b\nc,d;e\n'],
    ['semicolons', 'd.csv', 'prompt;completion\na;b\nc;"d;e"\n'],
    ['tabs', 'd.tsv', 'prompt\tcompletion\na\tb\nc\td;e\n'],
    ['tabs called csv', 'd.csv', 'prompt\tcompletion\na\tb\nc\td;e\n'],
    ['bars', 'd.csv', 'prompt|completion\na|b\nc|d;e\n'],
    ['JSON called csv', 'd.csv', `${JSON.stringify(A)}\n${JSON.stringify(B)}`],
    ['JSON called txt', 'd.txt', `${JSON.stringify(A)}\n${JSON.stringify(B)}`],
    ['a table called json', 'd.json', 'prompt,completion\na,b\nc,d;e\n'],
    ['no ending', 'data', `${JSON.stringify(A)}\n${JSON.stringify(B)}`],
  ])('%s', (_, name, text) => {
    const { rows, badRows } = rowsOf(text, name);
    expect(badRows).toEqual([]);
    expect(rows.map((row) => row.kind === 'chat' && row.messages.map(({ content }) => content))).toEqual([
      ['a', 'b'],
      ['c', 'd;e'],
    ]);
  });

  test('lists of messages are conversations, on each line or around', () => {
    for (const text of [
      `${JSON.stringify([ask, answer])}\n${JSON.stringify([ask, answer])}`,
      JSON.stringify([
        [ask, answer],
        [ask, answer],
      ]),
    ])
      expect(rowsOf(text).rows.map((row) => row.kind === 'chat' && row.messages)).toEqual([
        [ask, answer],
        [ask, answer],
      ]);
  });

  test('a text stays a text, and what cannot be read is told of the file', () => {
    expect(rowsOf('{curly} words, then more.\nAnd more.', 'd.txt').format).toBe('plain');
    expect(parseRefusal(rowsOf('once upon a time\nthere was', 'd.jsonl'), 'refuse')?.detail).toMatch(
      /does not hold JSON: it begins with 'once upon/,
    );
    expect(rowsOf(JSON.stringify({ train: [A], test: [B] }), 'd.json').badRows[0].reason).toMatch(/several lists of rows \(train, test\)/);
    expect(rowsOf(`{\n"prompt": "a",\n`, 'd.json').badRows[0].reason).toMatch(/ends inside the object that begins in line 1/);
  });

  test('gzip is unpacked; other archives are told what they are', async () => {
    const read = async (bytes: Uint8Array): Promise<string> => {
      let text = '';
      for await (const piece of textPieces(bytesStream('d.jsonl.gz', bytes))) text += piece.text;
      return text;
    };
    expect(await read(gzipSync(JSON.stringify(A)))).toBe(JSON.stringify(A));
    await expect(read(gzipSync('x'.repeat(1000)).subarray(0, 20))).rejects.toThrow(/damaged/);
    await expect(read(Uint8Array.of(0x50, 0x4b, 3, 4, 0))).rejects.toThrow(/zip archive/);
  });
});
