// The tokenizer's checks and facts. Ids themselves are compared with the reference in chat.test.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { independentPieces } from './bpe-split';
import {
  builtinFiles,
  builtinTokenizer,
  parseJson,
  ROOT,
  stories260k,
  stories260kFiles,
  variant,
  variantFiles,
  VOCAB,
} from '../../testing/tokenizers';
import { loadTokenizer } from './tokenizer';
import { readTokenizerJson } from './tokenizer-files';
import { errorOf } from '../../testing/error-of';

const utf8 = new TextEncoder();
/** Lone surrogates become U+FFFD, as in UTF-8. */
const wellFormed = (text: string): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(utf8.encode(text));

describe('the built-in tokenizer', () => {
  const tokenizer = builtinTokenizer();

  it('knows its special tokens', () => {
    expect(tokenizer.eosIds).toEqual([2, 0]);
    expect(tokenizer.eosId).toBe(2);
    expect(tokenizer.bosId).toBe(0);
    expect(tokenizer.addBos).toBe(false);
    expect(tokenizer.chatTemplate).toContain('im_start');
    expect(tokenizer.specialTokens).toEqual(['<|endoftext|>', '<|im_start|>', '<|im_end|>']);
    expect(tokenizer.tokenText(2)).toBe('<|im_end|>');
    expect(tokenizer.tokenText(99_999)).toBe('');
  });

  it('gives special tokens inside a text their single ids, and adds none', () => {
    expect(tokenizer.encode('<|im_start|><|im_end|><|endoftext|>')).toEqual([1, 2, 0]);
    expect(tokenizer.encode('')).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode([1, ...tokenizer.encode('user'), 2], { skipSpecial: true })).toBe('user');
    expect(tokenizer.decode([1, ...tokenizer.encode('user'), 2])).toBe('<|im_start|>user<|im_end|>');
  });

  it('decodes what it encodes and knows where each token ends, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(wellFormed(text));
        const ends = tokenizer.tokenEnds(text, ids);
        expect(ends).not.toBeNull();
        expect(ends?.at(-1) ?? 0).toBe(utf8.encode(text).length);
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it('tolerates NUL and lone surrogates', () => {
    expect(tokenizer.decode(tokenizer.encode('a\u0000b'))).toBe('a\u0000b');
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
    expect(tokenizer.tokenEnds('\ud800', tokenizer.encode('\ud800'))?.at(-1)).toBe(3);
  });
});

describe('a SentencePiece tokenizer', () => {
  const tokenizer = stories260k();
  it('encodes, adds its start token and aligns', (context) => {
    if (!tokenizer) return context.skip('shared/real/stories260k is not here');
    expect(tokenizer.addBos).toBe(true);
    expect([tokenizer.bosId, tokenizer.eosId]).toEqual([1, 2]);
    const text = 'Once upon a time, there was a little girl named Lily. 你好 🙂';
    const ids = tokenizer.encode(text);
    expect(tokenizer.encodeWithSpecials(text)).toEqual([1, ...ids]);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(tokenizer.tokenEnds(text, ids)?.at(-1)).toBe(utf8.encode(text).length);
    const mixed = `<s>${text}</s>`;
    expect(tokenizer.tokenEnds(mixed, tokenizer.encode(mixed))?.at(-1)).toBe(utf8.encode(mixed).length);
  });
});

describe('a BPE model without a pre-tokeniser', () => {
  // Small alphabet, so that random strings hit merges; one merge joins across a space.
  const entries = ['▁', 'a', 'b', 'c', '\n', 'ab', '▁a', 'abc', '▁ab', 'c▁', '\n\n', 'bc', '<unk>'];
  const merges = ['a b', '▁ a', 'ab c', '▁ ab', 'c ▁', '\n \n', 'b c'];
  const json = {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    added_tokens: [],
    model: { type: 'BPE', vocab: Object.fromEntries(entries.map((entry, id) => [entry, id])), merges, unk_token: '<unk>', fuse_unk: true },
  };

  it('cut into independent pieces gives the ids of the whole', () => {
    const ours = loadTokenizer({ tokenizerJson: JSON.stringify(json) }, entries.length);
    const whole = new HuggingFaceTokenizer(json, {});
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '\n', '▁', 'z', '🙂'), maxLength: 30 }), (text) => {
        expect(ours.encode(text)).toEqual(whole.encode(text, { add_special_tokens: false }).ids);
      }),
      { numRuns: 2000, seed: 12 },
    );
    expect(independentPieces(readTokenizerJson(JSON.stringify(json)))?.('▁abc▁ab\n\nb')).toEqual(['▁abc▁ab', '\n\n', 'b']);
    expect(independentPieces(readTokenizerJson(builtinFiles().tokenizerJson))).toBeNull();
  });

  it('the same for a real one on real text', (context) => {
    const files = stories260kFiles();
    if (!files) return context.skip('shared/real/stories260k is not here');
    const text = readFileSync(join(ROOT, '../shared/real/tinyshakespeare.txt'), 'utf8').slice(0, 20_000);
    const whole = new HuggingFaceTokenizer(parseJson(files.tokenizerJson), {});
    expect(loadTokenizer(files, 512).encode(text)).toEqual(whole.encode(text, { add_special_tokens: false }).ids);
  });
});

describe('faults', () => {
  const good = builtinFiles();
  const json = parseJson(good.tokenizerJson);
  const cases: [string, () => unknown, RegExp][] = [
    ['no JSON', () => loadTokenizer({ tokenizerJson: '{' }, VOCAB), /tokenizer.json is not valid JSON/],
    ['a list', () => loadTokenizer({ tokenizerJson: '[]' }, VOCAB), /does not hold a JSON object/],
    ['no model', () => loadTokenizer({ tokenizerJson: '{}' }, VOCAB), /has no model/],
    ['no vocabulary', () => loadTokenizer({ tokenizerJson: '{"model":{"type":"BPE"}}' }, VOCAB), /has no vocabulary/],
    ['no merges', () => loadTokenizer({ tokenizerJson: '{"model":{"type":"BPE","vocab":{"a":0}}}' }, VOCAB), /cannot be used/],
    [
      'an id that is no number',
      () => loadTokenizer({ tokenizerJson: '{"model":{"type":"BPE","vocab":{"a":"0"},"merges":[]}}' }, VOCAB),
      /'a' the id "0"/,
    ],
    [
      'added tokens that are none',
      () => loadTokenizer({ tokenizerJson: JSON.stringify({ ...json, added_tokens: [1] }) }, VOCAB),
      /added token/,
    ],
    [
      'an unknown part',
      () => loadTokenizer({ tokenizerJson: JSON.stringify({ ...json, pre_tokenizer: { type: 'Nonsense' } }) }, VOCAB),
      /cannot be used.*Nonsense/,
    ],
    [
      'a pattern of no known kind',
      () => loadTokenizer({ tokenizerJson: JSON.stringify({ ...json, pre_tokenizer: { type: 'Split', pattern: { Glob: '*' } } }) }, VOCAB),
      /Split without a supported pattern/,
    ],
    [
      'a way of splitting that the library does not have',
      () =>
        loadTokenizer(
          {
            tokenizerJson: JSON.stringify({
              ...json,
              pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext' },
            }),
          },
          VOCAB,
        ),
      /unsupported way \(MergedWithNext\)/,
    ],
    [
      'a token that is a whole word only',
      () =>
        loadTokenizer({ tokenizerJson: JSON.stringify({ ...json, added_tokens: [{ id: 1, content: 'w', single_word: true }] }) }, VOCAB),
      /only as a whole word/,
    ],
    ['a broken configuration', () => loadTokenizer({ ...good, tokenizerConfig: 'x' }, VOCAB), /tokenizer_config.json is not valid JSON/],
    [
      'a broken generation configuration',
      () => loadTokenizer({ ...good, generationConfig: '{"eos_token_id":"x"}' }, VOCAB),
      /generation_config.json gives eos_token_id/,
    ],
  ];
  it.each(cases)('%s is TOKENIZER', (_, action, message) => {
    const error = errorOf(action);
    expect(error.code).toBe('TOKENIZER');
    expect(error.detail).toMatch(message);
    expect(error.remedy).not.toBe('');
  });

  it('an id outside the vocabulary is TOKEN_RANGE, when it comes up', () => {
    const small = loadTokenizer(good, 600);
    const error = errorOf(() => small.encode('the government of the United States'));
    expect(error.code).toBe('TOKEN_RANGE');
    expect(error.detail).toMatch(/vocabulary of 600/);
    expect(errorOf(() => loadTokenizer({ ...good, generationConfig: '{"eos_token_id":[2,5000]}' }, VOCAB)).code).toBe('TOKEN_RANGE');
  });

  it('a text with no token for a part of it is TOKENIZER where there is no unknown token either', () => {
    const words = { type: 'WordPiece', vocab: { a: 0 }, unk_token: '[UNK]', continuing_subword_prefix: '##' };
    const bare = loadTokenizer({ tokenizerJson: JSON.stringify({ model: words, pre_tokenizer: { type: 'Whitespace' } }) }, 1);
    expect(bare.encode('a a')).toEqual([0, 0]);
    expect(errorOf(() => bare.encode('a b')).code).toBe('TOKENIZER');
  });
});

describe('choices among the files', () => {
  it('chat_template.jinja goes before the configuration, and of several templates the default is taken', () => {
    const several = [
      { name: 'tool_use', template: 'T' },
      { name: 'default', template: 'D' },
    ];
    expect(variant({ template: null }).chatTemplate).toBeNull();
    expect(variant({ template: null, config: { chat_template: several } }).chatTemplate).toBe('D');
    expect(loadTokenizer({ ...builtinFiles(), chatTemplateJinja: 'J' }, VOCAB).chatTemplate).toBe('J');
  });

  it('a start token is wanted where the configuration says so, else where the post-processor adds one', () => {
    const bos = { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] };
    const post_processor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<|endoftext|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<|endoftext|>': bos },
    };
    expect(variant({ template: null, json: { post_processor } }).addBos).toBe(false);
    const unsaid = variant({ template: null, json: { post_processor }, config: { add_bos_token: undefined } });
    expect(unsaid.addBos).toBe(true);
    expect(unsaid.encodeWithSpecials('a')[0]).toBe(0);
    expect(unsaid.encode('a')).toHaveLength(1);
    expect(variant({ template: null, config: { add_bos_token: true } }).addBos).toBe(true);
  });

  it('special tokens may be objects, and ids may come from config.json alone', () => {
    expect(variant({ template: null, config: { eos_token: { content: '<|endoftext|>' } } }).eosId).toBe(0);
    const { tokenizerJson } = variantFiles({ template: null });
    const bare = loadTokenizer({ tokenizerJson, modelConfig: '{"bos_token_id":1,"eos_token_id":[0,2]}' }, VOCAB);
    expect([bare.bosId, bare.eosId, bare.eosIds]).toEqual([1, 0, [0, 2]]);
    expect(bare.specialTexts).toEqual({ bos_token: '<|im_start|>', eos_token: '<|endoftext|>' });
  });

  it('a special token that the configuration rules out is none for the template either', () => {
    // As Qwen2 has it: no bos_token, and the id of one in generation_config.json.
    const none = variant({ template: null, config: { bos_token: null } });
    expect(none.bosId).toBe(0);
    expect(none.specialTexts).not.toHaveProperty('bos_token');
  });

  it('an added token that only tokenizer_config.json has is refused by name: it would be cut to pieces', () => {
    const added = (content: string) => ({ added_tokens_decoder: { 2000: { content, special: true } } });
    expect(() => variant({ template: null, config: added('<|tool|>') })).toThrow(
      expect.objectContaining({ code: 'TOKENIZER', detail: expect.stringContaining("'<|tool|>'") as string }),
    );
    expect(variant({ template: null, config: added('<|im_end|>') }).encode('<|im_end|>')).toEqual([2]);
    expect(variant({ template: null, config: { added_tokens_decoder: null } }).vocabSize).toBe(VOCAB);
  });

  it('files nested without end are refused as what they are', () => {
    const deep = (open: string, inside: string, close: string): string => open.repeat(20_000) + inside + close.repeat(20_000);
    const files = variantFiles({ template: null });
    const step = deep('{"type":"Sequence","pretokenizers":[', '{"type":"Digits","individual_digits":true}', ']}');
    const { pre_tokenizer: _, ...json } = parseJson(files.tokenizerJson);
    const tokenizerJson = `${JSON.stringify(json).slice(0, -1)},"pre_tokenizer":${step}}`;
    const refusal = expect.objectContaining({ code: 'TOKENIZER' }) as Error;
    expect(() => loadTokenizer({ ...files, tokenizerJson }, VOCAB)).toThrow(refusal);
    const generationConfig = `{"eos_token_id":${deep('[', '', ']')}}`;
    expect(() => loadTokenizer({ ...files, generationConfig }, VOCAB)).toThrow(refusal);
  });
});
