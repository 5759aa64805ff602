import { expect, test } from 'vitest';
import { detectShape } from './detect-shape';

test.each([
  ['{"text": "a"}\n{"text": "b"}', 'jsonl'],
  ['\n  {"text": "broken', 'jsonl'],
  ['prompt,completion\na,b', 'csv'],
  ['Question,Answer\n"What, now?",Wait.', 'csv'],
  ['text\none line\nanother, with a comma', 'csv'],
  ['Frage,Antwort\na,b\nc,d', 'csv'],
  ['It was the best of times, it was the worst of times.\nIt was the age of wisdom.', 'txt'],
  ['Dear all, hello\nthis is, well\na letter, really.\n', 'txt'],
  ['one line', 'txt'],
  ['', 'txt'],
  ['a,b', 'txt'],
])('%j is %s', (text, shape) => {
  expect(detectShape(text)).toBe(shape);
});
