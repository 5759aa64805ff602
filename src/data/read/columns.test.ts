import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnsProblem, type ColumnMap } from './column-map';
import { columnsText, suggestColumns } from './columns';
import { parseData, readData, type ParsedData } from '../../testing/whole-data';
import { errorOf } from '../../testing/error-of';

const QA: ColumnMap = { prompt: 'question', completion: 'answer' };
const parse = (name: string, text: string, columns: ColumnMap | null, badRows: 'refuse' | 'skip' = 'refuse'): ParsedData =>
  parseData({ name, text }, { badRows, columns });
const lines = (...rows: unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

const turns = ({ rows }: ParsedData) => rows.map((row) => (row.kind === 'chat' ? row.messages.map(({ content }) => content) : row.text));

describe('a map of columns', () => {
  test('reads JSON rows whose fields have other names', () => {
    const text = lines({ id: 1, question: 'q', answer: 'a' }, { question: 'r', answer: 'b', text: 'no field of this shape' });
    const parsed = parse('d.jsonl', text, QA);
    expect(parsed.format).toBe('prompt_completion');
    expect(turns(parsed)).toEqual([
      ['q', 'a'],
      ['r', 'b'],
    ]);
  });

  test('completes a shape with fields of their own name, and makes it the shape of every row', () => {
    expect(turns(parse('d.jsonl', lines({ prompt: 'q', reply: 'a' }), { completion: 'reply' }))).toEqual([['q', 'a']]);
    expect(turns(parse('d.jsonl', lines({ prompt: 'q', completion: 'a', body: 't' }), { text: 'body' }))).toEqual(['t']);
    expect(turns(parse('d.jsonl', lines({ task: 'i', output: 'o', input: 'x' }), { instruction: 'task' }))).toEqual([['i\n\nx', 'o']]);
    expect(turns(parse('d.jsonl', lines({ chat: [{ role: 'user', content: 'q' }] }), { messages: 'chat' }))).toEqual([['q']]);
  });

  test('reads CSV columns in any case', () => {
    const text = 'ID,Question, Answer\n1,q,"a, b"\n';
    for (const columns of [QA, { prompt: 'QUESTION', completion: 'Answer' }]) {
      const parsed = parse('d.csv', text, columns);
      expect(parsed.format).toBe('csv:prompt_completion');
      expect(turns(parsed)).toEqual([['q', 'a, b']]);
    }
    const cell = JSON.stringify([{ role: 'user', content: 'q' }]).replaceAll('"', '""');
    expect(turns(parse('d.csv', `Chat\n"${cell}"`, { messages: 'chat' }))).toEqual([['q']]);
    // A column that happens to be called messages is not read, so it need not be JSON.
    expect(turns(parse('d.csv', 'messages,body\n2 new,t', { text: 'body' }))).toEqual(['t']);
  });

  test('a CSV column is found beside one that has the name of a field', () => {
    expect(turns(parse('d.csv', 'Question,text\nq,a', { prompt: 'question', completion: 'TEXT' }))).toEqual([['q', 'a']]);
    expect(turns(parse('d.csv', 'TEXT,Answer\nq,a', { prompt: 'text', completion: 'answer' }))).toEqual([['q', 'a']]);
  });

  test('errors name the column and what it was mapped to', () => {
    const bad = (row: unknown, columns: ColumnMap): string => errorOf(() => parse('d.jsonl', lines(row), columns)).detail;
    expect(bad({ question: 'q' }, QA)).toBe('d.jsonl, row 1: column answer (mapped to completion) is missing.');
    expect(bad({ question: 'q', answer: 3 }, QA)).toContain('column answer (mapped to completion) is the number 3 and not a string');
    expect(bad({ chat: [{ role: 'narrator' }] }, { messages: 'chat' })).toContain("chat[0].role is 'narrator'");
    expect(bad({ reply: 'a' }, { completion: 'reply' })).toContain('row 1: prompt is missing');
    const header = errorOf(() => parse('d.csv', 'Question,Reply\nq,a', QA));
    expect(header.detail).toBe("d.csv, row 1: the header has the columns 'Question', 'Reply', and no 'answer' (mapped to completion).");
    expect(errorOf(() => parse('d.csv', 'Task,output\nt,o', { instruction: 'task', input: 'context' })).detail).toContain("no 'context'");
  });

  test('keys that only the prototype has are no columns', () => {
    expect(errorOf(() => parse('d.jsonl', lines({ a: 1 }), { text: 'toString' })).detail).toContain(
      'column toString (mapped to text) is missing',
    );
  });
});

describe('unknown columns', () => {
  test('are listed, with a way to map them', () => {
    const json = errorOf(() => parse('d.jsonl', lines({ question: 'q', answer: 'a' }), null));
    expect(json.detail).toContain('the keys question, answer');
    expect(json.remedy).toContain('prompt=question,completion=answer');
    const csv = errorOf(() => parse('d.csv', 'Frage,Antwort\nq,a', null));
    expect(csv.detail).toContain("'Frage', 'Antwort'");
    expect(csv.remedy).toContain('prompt=Frage,completion=Antwort');
    const skipped = errorOf(() => parse('d.jsonl', lines({ question: 'q', answer: 'a' }), null, 'skip'));
    expect(skipped).toMatchObject({ code: 'DATASET_EMPTY' });
    expect(skipped.detail).toContain('the keys question, answer');
    expect(skipped.remedy).toContain('prompt=question,completion=answer');
  });

  test('a file that cannot be used still tells its columns and bad rows', () => {
    const read = readData({ name: 'd.jsonl', text: lines({ b: 1 }, { a: 1, b: 2 }, 7) }, null);
    expect(read).toMatchObject({ format: null, columns: ['b', 'a'], rows: [], refusal: { code: 'DATASET_EMPTY' } });
    expect(read.badRows.map(({ row }) => row)).toEqual([1, 2, 3]);
    expect(readData({ name: 'd.csv', text: 'Frage,Antwort\nq,a' }, null)).toMatchObject({
      columns: ['Frage', 'Antwort'],
      refusal: { code: 'DATASET_PARSE' },
    });
  });
});

describe('suggestions', () => {
  test.each<[string[], ColumnMap | null]>([
    [['question', 'answer'], QA],
    [['id', 'Answer', 'Question'], { prompt: 'Question', completion: 'Answer' }],
    [['input', 'output'], { prompt: 'input', completion: 'output' }],
    [['user', 'assistant'], { prompt: 'user', completion: 'assistant' }],
    [['title', 'text'], { prompt: 'title', completion: 'text' }],
    [['prompt', 'response'], { prompt: 'prompt', completion: 'response' }],
    [['question', 'reply'], { prompt: 'question', completion: 'reply' }],
    [['instruction', 'response'], { instruction: 'instruction', output: 'response' }],
    [['instruction', 'context', 'answer'], { instruction: 'instruction', input: 'context', output: 'answer' }],
    [['conversations'], { messages: 'conversations' }],
    [['id', 'content'], { text: 'content' }],
    [['quotes'], { text: 'quotes' }],
    [['messages', 'question', 'answer'], null],
    [['prompt', 'completion'], null],
    [['instruction', 'input', 'output'], null],
    [['text', 'label'], null],
    [['a', 'b'], null],
    [[], null],
    [[''], null],
  ])('%j', (columns, map) => {
    expect(suggestColumns(columns)).toEqual(map);
  });

  test('whatever the columns are called, a suggestion is a map that can be used on them', () => {
    const name = fc.oneof(
      fc.constantFrom('Question', 'answer', 'input', 'output', 'title', 'text', 'content', 'chat', 'response'),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), (columns) => {
        const map = suggestColumns(columns);
        if (map === null) return;
        expect(columnsProblem(map)).toBeNull();
        for (const column of Object.values(map)) expect(columns).toContain(column);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  test('are written as the command line reads them', () => {
    expect(columnsText(QA)).toBe('prompt=question,completion=answer');
  });
});
