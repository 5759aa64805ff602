// The tokenizer of a model as GGUF metadata. llama.cpp does not read tokenizer.json: it has its own tokenizers, chosen by name.
// A tokenizer is exported only if one of those is known to cut text the same way. All others are refused, because a model with
// the wrong tokenizer looks healthy and answers nonsense.

import { readTokenizerJson, type TokenizerJson } from '../../data/tokenize/tokenizer-files';
import type { GgufValue } from '../../io/formats/gguf';
import { sentencePieceOf } from './sentencepiece';
import { isObject, refuseTokenizer, stepsOf, type Json } from './support';

/** What the tokenizer's files say about special tokens. */
export interface GgufSpecials {
  readonly bosId: number | null;
  /** Tokens that end a text; the first is the one that the run's turns or texts end with. */
  readonly eosIds: readonly number[];
  readonly padId: number | null;
  readonly addBos: boolean;
  readonly chatTemplate: string | null;
}

/** Regular expressions of published tokenizers, and llama.cpp's names for them. */
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const SPLITS: Readonly<Record<string, string>> = { [QWEN2]: 'qwen2', [LLAMA3]: 'llama-bpe' };

/** llama.cpp's name of a byte-level pre-tokenizer. Throws TOKENIZER if none is known. */
export function preTokenizerName(pre: unknown): string {
  const steps = stepsOf(pre, 'pretokenizers');
  const [first, second] = steps;
  const byteLevel = (step: Json | undefined, useRegex: boolean): boolean =>
    step?.type === 'ByteLevel' && step.add_prefix_space !== true && (step.use_regex ?? true) === useRegex;
  if (steps.length === 1 && byteLevel(first, true)) return 'gpt-2';
  if (steps.length === 2 && first?.type === 'Digits' && first.individual_digits === true && byteLevel(second, true)) return 'smollm';
  if (steps.length === 2 && first?.type === 'Split' && byteLevel(second, false)) {
    const pattern = isObject(first.pattern) ? first.pattern.Regex : undefined;
    const name = typeof pattern === 'string' && first.behavior === 'Isolated' && first.invert !== true ? SPLITS[pattern] : undefined;
    if (name) return name;
  }
  throw refuseTokenizer('llama.cpp does not support its way of cutting text into words');
}

/** llama.cpp's numbers. */
const TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** tokenizer.ggml.* for a vocabulary of `vocab` rows. Throws TOKENIZER. */
export function tokenizerKeys(tokenizerJson: string, vocab: number, specials: GgufSpecials): Map<string, GgufValue> {
  const json = readTokenizerJson(tokenizerJson);
  const { model } = json;
  if (model.type !== 'BPE' || !isObject(model.vocab) || !Array.isArray(model.merges))
    throw refuseTokenizer('it is not a byte-pair encoding');
  for (const field of ['continuing_subword_prefix', 'end_of_word_suffix'])
    if (model[field]) throw refuseTokenizer(`it marks the parts of words (${field})`);
  const merges = (model.merges as unknown[]).map((merge): readonly [string, string] => {
    const [left, right] = Array.isArray(merge) ? (merge as unknown[]) : String(merge).split(' ', 2);
    return [String(left), String(right)];
  });
  const { names, types } = vocabulary(json, vocab);

  const keys = new Map<string, GgufValue>();
  const text = (name: string, value: string): void => void keys.set(`tokenizer.ggml.${name}`, { type: 'string', value });
  if (model.byte_fallback === true) {
    names.forEach((name, id) => {
      if (types[id] === TYPES.normal && /^<0x[0-9A-F]{2}>$/.test(name)) types[id] = TYPES.byte;
      if (name === model.unk_token) types[id] = TYPES.unknown;
    });
    const { scores, spacePrefix } = sentencePieceOf(json, names, (id) => types[id] === TYPES.normal, merges);
    text('model', 'llama');
    text('pre', 'default');
    keys.set('tokenizer.ggml.scores', { type: 'f32s', value: scores });
    keys.set('tokenizer.ggml.add_space_prefix', { type: 'bool', value: spacePrefix });
  } else {
    const pre = preTokenizerName(json.pre_tokenizer);
    // llama.cpp does not apply Qwen's NFC. Text that is already in NFC, as nearly all text is, gives the same tokens.
    const normalizer = stepsOf(json.normalizer, 'normalizers').find(({ type }) => type !== 'NFC');
    if (normalizer) throw refuseTokenizer(`its normaliser ${String(normalizer.type)} is unknown to llama.cpp`);
    const whole = pre === 'llama-bpe';
    if ((model.ignore_merges === true) !== whole)
      throw refuseTokenizer(`llama.cpp's ${pre} ${whole ? 'takes' : 'does not take'} words that are whole tokens as they are`);
    text('model', 'gpt2');
    text('pre', pre);
    keys.set('tokenizer.ggml.merges', { type: 'strings', value: merges.map((merge) => merge.join(' ')) });
  }
  keys.set('tokenizer.ggml.tokens', { type: 'strings', value: names });
  keys.set('tokenizer.ggml.token_type', { type: 'i32s', value: types });
  const id = (name: string, value: number | null | undefined): void => {
    if (value !== null && value !== undefined) keys.set(`tokenizer.ggml.${name}`, { type: 'u32', value });
  };
  id('bos_token_id', specials.bosId);
  // llama.cpp has three kinds of tokens that end a text, one of each, and stops at every one. The first, which training taught, is both
  // the end of a text and the end of a turn there.
  id('eos_token_id', specials.eosIds[0]);
  id('eot_token_id', specials.eosIds[0]);
  id('eom_token_id', specials.eosIds[1]);
  id('padding_token_id', specials.padId);
  keys.set('tokenizer.ggml.add_bos_token', { type: 'bool', value: specials.addBos });
  keys.set('tokenizer.ggml.add_eos_token', { type: 'bool', value: false });
  if (specials.chatTemplate !== null) keys.set('tokenizer.chat_template', { type: 'string', value: specials.chatTemplate });
  return keys;
}

/** A name and a type for every row. Rows beyond the vocabulary exist in some models; llama.cpp wants a name for each. */
function vocabulary({ model, added_tokens }: TokenizerJson, rows: number): { names: string[]; types: Int32Array } {
  const tokens = new Array<string | undefined>(rows).fill(undefined);
  const types = new Int32Array(rows).fill(TYPES.normal);
  for (const [text, id] of Object.entries(model.vocab as Record<string, number>)) if (id < rows) tokens[id] = text;
  for (const token of added_tokens ?? []) {
    const { id, content, special, ...flags } = token as typeof token & Json;
    if (id >= rows) continue;
    const strip = ['lstrip', 'rstrip', 'single_word'].find((flag) => flags[flag] === true);
    if (strip !== undefined) throw refuseTokenizer(`its token '${content}' depends on what stands beside it (${strip})`);
    tokens[id] = content;
    types[id] = special === true ? TYPES.control : TYPES.userDefined;
  }
  const names = tokens.map((text, id) => {
    if (text === undefined) types[id] = TYPES.unused;
    return text ?? `[PAD${id}]`;
  });
  return { names, types };
}
