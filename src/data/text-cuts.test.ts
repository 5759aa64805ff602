// Long texts in pieces: the tokens of one go, for the kinds of tokenizers that there are, and bytes in any pieces.

import { describe, expect, it } from 'vitest';
import { randomStream } from '../random';
import { DataEncoder } from './encoding';
import { builtinTokenizer, stories260k, variant } from './fixtures/tokenizers';
import { textCutter } from './text-cuts';
import { textPieces } from './text-stream';
import type { Tokenizer } from './tokenizer';

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

const kinds: [string, Tokenizer | null][] = [
  ...Object.entries(SPLITS).map(([name, pre_tokenizer]): [string, Tokenizer] => [
    name,
    variant({ template: null, json: { pre_tokenizer } }),
  ]),
  ['built-in', builtinTokenizer()],
  ['SentencePiece', stories260k()],
];

describe('a long text in pieces', () => {
  it.each(kinds)('has the tokens of one go: %s', (_, tokenizer) => {
    if (!tokenizer) return;
    expect(textCutter(tokenizer).exact).toBe(true);
    const text = textOf(1, 200_000);
    expect(encodePieces(tokenizer, text, 7001)).toEqual({ ids: tokenizer.encode(text), roughCuts: 0 });
  });

  it('is cut all the same where nothing is safe, and that is counted', () => {
    const tokenizer = builtinTokenizer();
    const { ids, roughCuts } = encodePieces(tokenizer, 'x'.repeat(400_000), 50_000);
    expect(roughCuts).toBeGreaterThan(0);
    expect(tokenizer.decode(ids)).toBe('x'.repeat(400_000));
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
    // eslint-disable-next-line @typescript-eslint/require-await
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
