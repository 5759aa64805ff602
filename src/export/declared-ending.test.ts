// The files of an export all declare the end token that was trained.

import { expect, test } from 'vitest';
import { withEnding, type DeclaredEnding } from './declared-ending';

const ENDING: DeclaredEnding = { token: { id: 2, text: '<|im_end|>' }, stopIds: [2, 0], renames: true };
const after = (path: string, text: string | null, ending = ENDING): unknown => {
  const out = withEnding(path, text, ending);
  return out === null ? null : JSON.parse(out);
};

test('generation_config.json is made or completed, and stays as it is where it names the token', () => {
  expect(after('generation_config.json', null)).toEqual({ eos_token_id: [2, 0] });
  expect(after('generation_config.json', '{"bos_token_id": 1, "eos_token_id": 0, "top_p": 0.9}')).toEqual({
    bos_token_id: 1,
    eos_token_id: [2, 0],
    top_p: 0.9,
  });
  expect(after('generation_config.json', '{}')).toEqual({ eos_token_id: [2, 0] });
  const named = '{ "eos_token_id": [0,2] }';
  expect(withEnding('generation_config.json', named, ENDING)).toBe(named);
});

test('config.json and the tokenizer files name the same token', () => {
  expect(withEnding('config.json', '{\n  "a": 1.0,\n  "eos_token_id": 0\n}', ENDING)).toBe('{\n  "a": 1.0,\n  "eos_token_id": [2, 0]\n}');
  expect(after('config.json', '{"a": 1}', { ...ENDING, stopIds: [2] })).toEqual({ a: 1, eos_token_id: 2 });
  expect(after('tokenizer_config.json', '{"eos_token": {"content": "<|endoftext|>"}}')).toEqual({ eos_token: '<|im_end|>' });
  expect(after('special_tokens_map.json', '{"pad_token": "x"}')).toEqual({ pad_token: 'x' });
});

test('a template that writes eos_token keeps it; without an end token nothing changes', () => {
  const text = '{"eos_token": "<|endoftext|>"}';
  expect(withEnding('tokenizer_config.json', text, { ...ENDING, renames: false })).toBe(text);
  expect(withEnding('config.json', '{"eos_token_id": 0}', { ...ENDING, token: null })).toBe('{"eos_token_id": 0}');
});
