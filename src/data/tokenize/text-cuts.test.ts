// Long texts in pieces: the tokens of one go, for the kinds of tokenizers that there are, and bytes in any pieces.

import { describe, expect, it } from 'vitest';
import { randomStream } from '../../base/random';
import { DataEncoder } from './encoding';
import { builtinTokenizer, stories260k, variant } from '../../testing/tokenizers';
import { textCutter } from './text-cuts';
import { textPieces } from '../read/text-stream';
import { loadTokenizer, type Tokenizer } from './tokenizer';

const SPLITS = {
  'GPT-2': { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  'Llama 3 and Qwen': {
    type: 'Sequence',
    pretokenizers: [
      {
        type: 'Split',
        pattern: {
          Regex:
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        },
        behavior: 'Isolated',
        invert: false,
      },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    ],
  },
};

function textOf(seed: number, length: number): string {
  const draw = randomStream(seed, 'long text');
  const words = [
    'the',
    'state',
    'Union.',
    "isn't",
    '\n',
    '\n\n',
    ' ',
    ', ',
    '12345',
    'é',
    '你好',
    '🙂',
    '\t',
    '  ',
    '"So?"\n',
    'matter of record',
  ];
  let text = '';
  while (text.length < length) text += words[draw.nextBelow(words.length)] + (draw.nextBelow(3) > 0 ? ' ' : '');
  return text;
}

function encodePieces(tokenizer: Tokenizer, text: string, piece: number) {
  const encoder = new DataEncoder(tokenizer, 'all');
  for (let at = 0; at < text.length; at += piece) for (const _ of encoder.addText(text.slice(at, at + piece)));
  encoder.endText();
  return { ids: [...encoder.store.sample(0, encoder.store.length).ids], roughCuts: encoder.roughCuts };
}

/** Puts ▁ before every text, as Llama 2's does; `merges` join two of its tokens. */
function sentencePiece(merges: readonly string[]): Tokenizer {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const letters = [...'abcdefghijklmnopqrstuvwxyz▁'];
  const vocab = ['<unk>', '<s>', '</s>', ...bytes, ...letters, ...merges.map((merge) => merge.replace(' ', ''))];
  const json = {
    version: '1.0',
    added_tokens: vocab.slice(0, 3).map((content, id) => ({ id, content, special: true })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
      merges,
    },
  };
  return loadTokenizer({ tokenizerJson: JSON.stringify(json) }, vocab.length);
}
const MERGES = ['t h', 'th e', '▁ the', 's t', 'i o', 'io n', '▁ s', '▁ i'];

const kinds: [string, Tokenizer | null][] = [
  ...Object.entries(SPLITS).map(([name, pre_tokenizer]): [string, Tokenizer] => [
    name,
    variant({ template: null, json: { pre_tokenizer } }),
  ]),
  ['built-in', builtinTokenizer()],
  ['SentencePiece', sentencePiece(MERGES)],
  ['SentencePiece with runs of spaces', sentencePiece([...MERGES, '▁ ▁', '▁▁ ▁▁'])],
  ["the story model's", stories260k()],
];

describe('a long text in pieces', () => {
  it.for(kinds)('has the tokens of one go: %s', ([, tokenizer], context) => {
    if (!tokenizer) return context.skip('shared/real/stories260k is not here');
    expect(textCutter(tokenizer).exact).toBe(true);
    const text = textOf(1, 100_000);
    expect(encodePieces(tokenizer, text, 7001)).toEqual({ ids: tokenizer.encode(text), roughCuts: 0 });
  });

  it('is cut all the same where nothing is safe, and that is counted', () => {
    const tokenizer = builtinTokenizer();
    const { ids, roughCuts } = encodePieces(tokenizer, 'x'.repeat(300_000), 50_000);
    expect(roughCuts).toBeGreaterThan(0);
    expect(tokenizer.decode(ids)).toBe('x'.repeat(300_000));
  });

  it('is cut where it may be at the latest, before a line break if there is one', () => {
    const cutter = textCutter(builtinTokenizer());
    const text = 'one two\nthree four, five';
    expect([...text].map((_, most) => cutter.cut(text, most))).toEqual([
      ...[null, null, null, 3, 3, 3, 3],
      ...Array.from({ length: text.length - 7 }, () => 7),
    ]);
    expect(cutter.cut('four,\n - (five)', 15)).toBe(null);
  });

  it('a tokenizer that looks across is seen through', () => {
    // A normalizer that takes line breaks away joins what was apart.
    const tokenizer = variant({ template: null, json: { normalizer: { type: 'Replace', pattern: { Regex: '\\s' }, content: '' } } });
    expect(textCutter(tokenizer).exact).toBe(false);
  });
});

describe('bytes as text', () => {
  const stream = (bytes: Uint8Array, piece: number) => ({
    name: 'd.txt',
    size: bytes.length,
    // oxlint-disable-next-line typescript/require-await
    async *chunks() {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
    },
  });
  const read = async (bytes: Uint8Array, piece: number): Promise<string> => {
    let text = '';
    for await (const part of textPieces(stream(bytes, piece))) text += part.text;
    return text;
  };

  it.each([1, 2, 3, 5, 100_000])('in pieces of %i bytes', async (piece) => {
    const text = 'a é 你好 🙂\n'.repeat(20);
    expect(await read(new TextEncoder().encode(`\ufeff${text}`), piece)).toBe(text);
  });

  it.each([1, 2, 7, 100_000])('what is not UTF-8 is named by its line, in pieces of %i bytes', async (piece) => {
    const bytes = new Uint8Array([...new TextEncoder().encode('eins\n你\nzwei '), 0xe4, 0xbd, 0x41, 10]);
    await expect(read(bytes, piece)).rejects.toMatchObject({ code: 'DATASET_PARSE', detail: expect.stringContaining('row 3') as string });
    await expect(read(new Uint8Array([97, 10, 0xf0, 0x9f]), piece)).rejects.toMatchObject({
      detail: expect.stringContaining('row 2') as string,
    });
  });
});
