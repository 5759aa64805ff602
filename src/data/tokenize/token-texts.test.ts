import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinTokenizer, stories260k, variant } from '../../testing/tokenizers';
import { tokenTexts } from './token-texts';
import type { Tokenizer } from './tokenizer';

const builtin = builtinTokenizer();
const llama = stories260k();

test('a text by tokens, special ones as they are written', () => {
  const ids = builtin.encode('<|im_start|>user\nDefine: AGE<|im_end|>');
  const texts = tokenTexts(builtin, ids);
  expect(texts[0]).toBe('<|im_start|>');
  expect(texts.at(-1)).toBe('<|im_end|>');
  expect(texts.join('')).toBe('<|im_start|>user\nDefine: AGE<|im_end|>');
});

test('a character of several tokens belongs to the last of them', () => {
  const ids = builtin.encode('a🙂b');
  const texts = tokenTexts(builtin, ids);
  const place = texts.indexOf('🙂');
  expect(place).toBeGreaterThan(1);
  expect(texts.slice(1, place).every((text) => text === '')).toBe(true);
});

const TOKENIZERS: [string, Tokenizer | null][] = [
  ['the built-in tokenizer', builtin],
  ['one that adds a start token', variant({ template: null, config: { add_bos_token: true } })],
  ['one that cleans up spaces', variant({ template: null, config: { clean_up_tokenization_spaces: true } })],
  ['one without a decoder', variant({ template: null, json: { decoder: null } })],
  ['a SentencePiece tokenizer', llama],
];

describe.each(TOKENIZERS)('texts joined are the decoded tokens: %s', (name, tokenizer) => {
  const check = (ids: number[]): void => {
    expect(tokenTexts(tokenizer!, ids).join('')).toBe(tokenizer!.decode(ids));
  };
  const sizes = { numRuns: 200, seed: 11 };

  test.skipIf(!tokenizer)(`${name}: texts, and any window of them`, () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom(' a ', 'The state ', "don't . ", '🙂', '<|im_end|>', '</s>', '\n'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(20), fc.nat(20), (pieces, start, length) => {
        const ids = tokenizer!.encode(pieces.join(''));
        check(ids);
        check(ids.slice(start, start + length));
      }),
      sizes,
    );
  });

  test.skipIf(!tokenizer)(`${name}: any ids`, () => {
    fc.assert(fc.property(fc.array(fc.nat(tokenizer!.vocabSize - 1), { maxLength: 12 }), check), sizes);
  });
});
