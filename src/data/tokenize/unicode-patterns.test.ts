// Pre-tokens as the Rust tokenizers cut them, where JavaScript's own classes would cut otherwise.

import { ByteLevelPreTokenizer, DigitsPreTokenizer, SequencePreTokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { stories260k } from '../../testing/tokenizers';
import { useRustPatterns } from './unicode-patterns';

describe('pre-tokenizers with patterns of their own', () => {
  it('U+0085 is white space, U+FEFF is none, and any numeric character is a digit', () => {
    const text = 'a \u0085b\ufeff\ufeff ٣٤x½12';
    const both = new SequencePreTokenizer({
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, { type: 'ByteLevel' }],
    });
    const untouched = both.pre_tokenize(text);
    useRustPatterns(both);
    expect(both.pre_tokenize(text)).toEqual(['a', 'Ġ', 'Âħ', 'b', 'ï»¿ï»¿', 'Ġ', 'Ù£', 'Ù¤', 'x', 'Â½', '1', '2']);
    expect(untouched).not.toEqual(both.pre_tokenize(text));
  });

  it('runs of digits stay together where the file says so; other kinds are left alone', () => {
    const digits = new DigitsPreTokenizer({ type: 'Digits', individual_digits: false });
    useRustPatterns(digits);
    expect(digits.pre_tokenize('a12٣ b')).toEqual(['a', '12٣', ' b']);
    const none = new ByteLevelPreTokenizer({ type: 'ByteLevel', use_regex: false });
    useRustPatterns(none);
    expect(none.pre_tokenize('a\u0085')).toEqual(['aÂħ']);
    useRustPatterns(null);
  });
});

describe('half of a surrogate pair', () => {
  it('is U+FFFD to a SentencePiece tokenizer too', (context) => {
    const tokenizer = stories260k();
    if (!tokenizer) return context.skip('shared/real/stories260k is not here');
    expect(tokenizer.encode('a\ud83db')).toEqual(tokenizer.encode('a\ufffdb'));
  });
});
