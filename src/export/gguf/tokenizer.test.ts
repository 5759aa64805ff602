// Tokenizers as GGUF metadata, and those that are refused because llama.cpp would cut text differently.

import { describe, expect, it } from 'vitest';
import { preTokenizerName, tokenizerKeys } from './tokenizer';

const SPECIALS = { bosId: 0, eosIds: [], padId: null, addBos: true, chatTemplate: null };
const keysOf = (json: object, rows: number): Map<string, { value: unknown }> => tokenizerKeys(JSON.stringify(json), rows, SPECIALS);

describe('byte-level', () => {
  const split = (Regex: string) => ({
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    ],
  });
  const LLAMA3 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const digits = {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false },
    ],
  };
  const model = { type: 'BPE', vocab: { a: 1, b: 2, ab: 3 }, merges: [['a', 'b']] };
  const json = {
    model,
    added_tokens: [{ id: 0, content: '<s>', special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
  };

  it('known cuts have names of llama.cpp, others are refused', () => {
    expect(preTokenizerName({ type: 'ByteLevel', add_prefix_space: false, use_regex: true })).toBe('gpt-2');
    expect(preTokenizerName(digits)).toBe('smollm');
    expect(preTokenizerName(split(LLAMA3))).toBe('llama-bpe');
    expect(preTokenizerName(split(LLAMA3.replace('{1,3}', '')))).toBe('qwen2');
    expect(() => preTokenizerName({ type: 'ByteLevel', add_prefix_space: true })).toThrow(/cannot carry this tokenizer/);
    expect(() => preTokenizerName(split('\\w+'))).toThrow(/cannot carry this tokenizer/);
    expect(() => preTokenizerName(null)).toThrow(/cannot carry this tokenizer/);
  });

  it('rows without a token have a name, special tokens are control', () => {
    const keys = keysOf(json, 6);
    expect(keys.get('tokenizer.ggml.tokens')?.value).toEqual(['<s>', 'a', 'b', 'ab', '[PAD4]', '[PAD5]']);
    expect([...(keys.get('tokenizer.ggml.token_type')?.value as Int32Array)]).toEqual([3, 1, 1, 1, 5, 5]);
    expect(keys.get('tokenizer.ggml.merges')?.value).toEqual(['a b']);
    expect(keys.has('tokenizer.ggml.eos_token_id')).toBe(false);
  });

  it('what llama.cpp does not do, or does unasked, is refused', () => {
    expect(keysOf({ ...json, normalizer: { type: 'NFC' } }, 4).get('tokenizer.ggml.pre')?.value).toBe('gpt-2');
    expect(() => keysOf({ ...json, normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] } }, 4)).toThrow(
      /normaliser Lowercase/,
    );
    expect(() => keysOf({ ...json, pre_tokenizer: split(LLAMA3) }, 4)).toThrow(/takes words that are whole tokens/);
    expect(keysOf({ ...json, model: { ...model, ignore_merges: true }, pre_tokenizer: split(LLAMA3) }, 4).size).toBeGreaterThan(5);
    expect(() => keysOf({ ...json, model: { ...model, ignore_merges: true } }, 4)).toThrow(/does not take words/);
    expect(() => keysOf({ ...json, model: { ...model, end_of_word_suffix: '</w>' } }, 4)).toThrow(/parts of words/);
    expect(() => keysOf({ ...json, added_tokens: [{ id: 0, content: '<m>', lstrip: true }] }, 4)).toThrow(/'<m>' depends on/);
    expect(() => keysOf({ ...json, model: { type: 'Unigram', vocab: [['a', 0]] } }, 4)).toThrow(/not a byte-pair encoding/);
  });
});

describe('SentencePiece', () => {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const legacy = { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] };
  const json = {
    normalizer: legacy,
    added_tokens: [
      { id: 0, content: '<unk>', special: true },
      { id: 1, content: '<s>', special: true },
    ],
    model: {
      type: 'BPE',
      byte_fallback: true,
      unk_token: '<unk>',
      vocab: { '<unk>': 0, '<s>': 1, '<0x0A>': 2, '▁': 3, a: 4, b: 5, ab: 6, '▁ab': 7 },
      merges: ['a b', '▁ ab'],
    },
  };
  const metaspace = (more: object) => ({ ...json, normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', ...more } });

  it('scores go down with the rank of the merge, bytes and specials have their types', () => {
    const keys = keysOf(json, 8);
    expect(keys.get('tokenizer.ggml.model')?.value).toBe('llama');
    expect(keys.get('tokenizer.ggml.scores')?.value).toEqual([0, 0, 0, -2, -2, -2, -0, -1]);
    expect([...(keys.get('tokenizer.ggml.token_type')?.value as Int32Array)]).toEqual([2, 3, 6, 1, 1, 1, 1, 1]);
    expect(keys.get('tokenizer.ggml.add_space_prefix')?.value).toBe(true);
    expect(keysOf({ ...json, normalizer: replace }, 8).get('tokenizer.ggml.add_space_prefix')?.value).toBe(false);
    expect(keysOf(metaspace({ prepend_scheme: 'never', split: false }), 8).get('tokenizer.ggml.add_space_prefix')?.value).toBe(false);
  });

  it('added tokens need no order, and a cut at spaces that the normaliser took away is none (Gemma)', () => {
    const runs = { '\n': 8, '\n\n': 9, '\t': 10, '\t\t': 11, '\n\n\n': 12 };
    const gemma = {
      ...json,
      normalizer: replace,
      pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
      added_tokens: [...json.added_tokens, ...['\n\n', '\n\n\n'].map((content, i) => ({ id: [9, 12][i], content, special: false }))],
      model: {
        ...json.model,
        vocab: { ...json.model.vocab, ...runs },
        merges: ['\n\n \n', '\t \t', '\n \n\n', ...json.model.merges, '\n \n'],
      },
    };
    const keys = keysOf(gemma, 13);
    expect(keys.get('tokenizer.ggml.add_space_prefix')?.value).toBe(false);
    expect([...(keys.get('tokenizer.ggml.token_type')?.value as Int32Array)].slice(8)).toEqual([1, 4, 1, 1, 4]);
  });

  it('merges that are no order of scores are refused', () => {
    const merges = (list: readonly string[], vocab: object = {}) => ({
      ...json,
      model: { ...json.model, vocab: { ...json.model.vocab, ...vocab }, merges: list },
    });
    expect(() => keysOf(merges(['a b']), 8)).toThrow(/'▁' and 'ab' stay apart/);
    expect(() => keysOf(merges(['a b', '▁ a', '▁ ab', 'b b', '▁a b'], { '▁a': 8, bb: 9 }), 10)).toThrow(/do not stand together/);
    expect(keysOf(merges(['a b', '▁ a', '▁ ab', '▁a b'], { '▁a': 8 }), 9).size).toBeGreaterThan(5);
  });

  it('other treatments of spaces are refused', () => {
    expect(() => keysOf(metaspace({ prepend_scheme: 'first', split: false }), 8)).toThrow(/\(first\)/);
    expect(() => keysOf(metaspace({ split: false }), 8)).toThrow(/\(always\)/);
    expect(() => keysOf(metaspace({ prepend_scheme: 'never' }), 8)).toThrow(/cuts text into words/);
    expect(() => keysOf({ ...json, normalizer: null }, 8)).toThrow(/does not treat spaces/);
    expect(() => keysOf({ ...json, normalizer: { type: 'NFKC' } }, 8)).toThrow(/normaliser NFKC/);
  });
});
