import { expect, test } from 'vitest';
import { describeMap, draftOf, draftOfMap, mapOf, withColumn } from './column-draft';

const QA = { prompt: 'question', completion: 'answer' };

test('a shape begins with columns of its fields’ names, and with a suggestion of that shape', () => {
  expect(draftOf('text', ['id', 'Text'], null).columns).toEqual({ text: 'Text' });
  expect(draftOf('prompt_completion', ['question', 'answer'], QA).columns).toEqual(QA);
  expect(draftOf('instruction', ['question', 'answer'], QA).columns).toEqual({ instruction: '', output: '', input: '' });
});

test('is a map once everything that it needs is chosen', () => {
  const draft = draftOf('instruction', ['task', 'answer'], null);
  expect(mapOf(draft)).toBeNull();
  const half = withColumn(draft, 'instruction', 'task');
  expect(mapOf(half)).toBeNull();
  expect(mapOf(withColumn(half, 'output', 'answer'))).toEqual({ instruction: 'task', output: 'answer' });
});

test('a map is a draft again, columns of the fields’ own names filled in', () => {
  expect(draftOfMap(QA, ['question', 'answer'])).toEqual({ shape: 'prompt_completion', columns: QA });
  expect(draftOfMap({ output: 'answer' }, ['Instruction', 'answer'])).toEqual({
    shape: 'instruction',
    columns: { instruction: 'Instruction', output: 'answer', input: '' },
  });
  expect(draftOfMap({ prompt: 'a', text: 'b' }, ['a', 'b'])).toBeNull();
});

test('in words', () => {
  expect(describeMap({ text: 'body' })).toBe('body as text');
  expect(describeMap(QA)).toBe('question as prompt and answer as completion');
  expect(describeMap({ instruction: 'a', input: 'b', output: 'c' })).toBe('a as instruction, b as input and c as output');
});
