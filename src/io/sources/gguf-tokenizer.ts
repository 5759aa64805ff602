// The tokenizer inside a GGUF file, as the files of the Hugging Face layout. llama.cpp names its ways of cutting text; only those are read
// that are known to cut as the published tokenizer does.

import { AppError } from '../../base/errors';
import type { GgufKeys } from './gguf-config';

/** llama.cpp's numbers. */
const TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;
const SPACE = '▁';

const words = (digits: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const byteLevel = (use_regex: boolean): object => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex });
const sequence = (first: object, regex: boolean): object => ({ type: 'Sequence', pretokenizers: [first, byteLevel(regex)] });
const split = (digits: string): object =>
  sequence({ type: 'Split', pattern: { Regex: words(digits) }, behavior: 'Isolated', invert: false }, false);

/** Steps before the merges, by llama.cpp's name of them. */
const CUTS: Readonly<Record<string, { readonly pre: object; readonly whole?: true; readonly nfc?: true; readonly bos?: true }>> = {
  'gpt-2': { pre: byteLevel(true) },
  smollm: { pre: sequence({ type: 'Digits', individual_digits: true }, true) },
  'llama-bpe': { pre: split('{1,3}'), whole: true, bos: true },
  qwen2: { pre: split(''), nfc: true },
};

/** Texts of tokenizer.json, tokenizer_config.json and generation_config.json. Throws TOKENIZER. */
export function ggufTokenizer(keys: GgufKeys): Readonly<Record<string, string>> {
  const refuse = (reason: string): AppError =>
    new AppError('TOKENIZER', `The tokenizer of ${keys.name} is not read: ${reason}.`, 'Get the model in Hugging Face layout.');
  const tokens = keys.needed(keys.texts('tokenizer.ggml.tokens'), 'tokenizer.ggml.tokens');
  const types = keys.numbers('tokenizer.ggml.token_type') ?? tokens.map(() => TYPES.normal);
  if (types.length !== tokens.length) throw refuse('its tokens and their types differ in number');
  const vocab: Record<string, number> = Object.create(null) as Record<string, number>;
  const added: object[] = [];
  tokens.forEach((content, id) => {
    const special = types[id] === TYPES.control || types[id] === TYPES.unknown;
    if (special || types[id] === TYPES.userDefined)
      added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
    if (types[id] === TYPES.normal || types[id] === TYPES.byte || types[id] === TYPES.unknown) {
      if (vocab[content] !== undefined) throw refuse(`it has the token '${content.slice(0, 40)}' twice`);
      vocab[content] = id;
    }
  });
  const kind = keys.text('tokenizer.ggml.model');
  const base = { version: '1.0', truncation: null, padding: null, added_tokens: added, post_processor: null };
  let json: object;
  let addsBos: boolean;
  if (kind === 'gpt2') {
    const pre = keys.text('tokenizer.ggml.pre') ?? '';
    const cut = Object.hasOwn(CUTS, pre) ? CUTS[pre] : undefined;
    if (!cut) throw refuse(`its way of cutting text ('${pre.slice(0, 40)}') is unknown`);
    const merges = keys.needed(keys.texts('tokenizer.ggml.merges'), 'tokenizer.ggml.merges');
    addsBos = cut.bos ?? false;
    json = {
      ...base,
      normalizer: cut.nfc ? { type: 'NFC' } : null,
      pre_tokenizer: cut.pre,
      decoder: byteLevel(true),
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: cut.whole ?? false,
        vocab,
        merges,
      },
    };
  } else if (kind === 'llama') {
    addsBos = true;
    json = { ...base, ...sentencePiece(keys, tokens, types, vocab, refuse) };
  } else throw refuse(`it is of the kind '${String(kind).slice(0, 40)}'`);
  const idOf = (name: string): number | undefined => {
    const id = keys.number(`tokenizer.ggml.${name}_token_id`);
    if (id !== undefined && tokens[id] === undefined) throw refuse(`its ${name} token ${id} is not in its vocabulary`);
    return id;
  };
  const [bos, eos, pad] = [idOf('bos'), idOf('eos'), idOf('padding')];
  const ends = [...new Set([eos, idOf('eot'), idOf('eom')].filter((id) => id !== undefined))];
  const template = keys.text('tokenizer.chat_template');
  const text = (key: string, id: number | undefined): object => (id === undefined ? {} : { [key]: tokens[id] });
  return {
    'tokenizer.json': JSON.stringify(json),
    'tokenizer_config.json': JSON.stringify({
      ...text('bos_token', bos),
      ...text('eos_token', eos),
      ...text('pad_token', pad),
      add_bos_token: bos !== undefined && (keys.flag('tokenizer.ggml.add_bos_token') ?? addsBos),
      ...(template !== undefined && { chat_template: template }),
    }),
    'generation_config.json': JSON.stringify({
      ...(bos !== undefined && { bos_token_id: bos }),
      ...(ends.length > 0 && { eos_token_id: ends }),
    }),
  };
}

/** SentencePiece joins the neighbours whose token has the highest score: a list of all pairs that spell a token, by score. */
function sentencePiece(
  keys: GgufKeys,
  tokens: readonly string[],
  types: readonly number[],
  vocab: Readonly<Record<string, number>>,
  refuse: (reason: string) => AppError,
): object {
  const scores = keys.needed(keys.numbers('tokenizer.ggml.scores'), 'tokenizer.ggml.scores');
  if (scores.length !== tokens.length) throw refuse('its tokens and their scores differ in number');
  const pairs: { readonly pair: readonly [string, string]; readonly score: number; readonly id: number }[] = [];
  tokens.forEach((token, id) => {
    if (types[id] !== TYPES.normal) return;
    let left = '';
    for (const character of token) {
      left += character;
      const right = token.slice(left.length);
      if (right !== '' && vocab[left] !== undefined && vocab[right] !== undefined)
        pairs.push({ pair: [left, right], score: scores[id], id });
    }
  });
  // Pairs of one token stand together; of equal scores the earlier token comes first.
  pairs.sort((a, b) => b.score - a.score || a.id - b.id);
  const prefix = keys.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  const unknown = tokens.find((_, id) => types[id] === TYPES.unknown) ?? null;
  return {
    normalizer: prefix ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, spaces] } : spaces,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: pairs.map(({ pair }) => pair),
    },
  };
}
