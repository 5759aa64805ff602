// The tokenizer of a model as GGUF metadata. llama.cpp does not read tokenizer.json: it has its own tokenizers, chosen by
// name. A tokenizer is exported only where one of those is known to cut text the same way; every other is refused,
// because a model with the wrong tokenizer looks healthy and answers nonsense.

import { AppError } from '../errors';
import type { GgufValue } from './gguf';

/** What the tokenizer's files say of special tokens. */
export interface GgufSpecials {
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly padId: number | null;
  readonly addBos: boolean;
  readonly chatTemplate: string | null;
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (why: string): AppError =>
  new AppError('TOKENIZER', `GGUF cannot carry this tokenizer: ${why}.`, 'Export as safetensors; llama.cpp would cut text differently.');

/** Regular expressions of published tokenizers, and llama.cpp's names for them. */
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const SPLITS: Readonly<Record<string, string>> = { [QWEN2]: 'qwen2', [LLAMA3]: 'llama-bpe' };

/** llama.cpp's name of a byte-level pre-tokenizer. Throws TOKENIZER where none is known. */
export function preTokenizerName(pre: unknown): string {
  const steps = !isObject(pre) ? [] : pre.type === 'Sequence' ? (pre.pretokenizers as unknown[]) : [pre];
  const [first, second] = steps.filter(isObject);
  const byteLevel = (step: Json | undefined, useRegex: boolean): boolean =>
    step?.type === 'ByteLevel' && step.add_prefix_space !== true && (step.use_regex ?? true) === useRegex;
  if (steps.length === 1 && byteLevel(first, true)) return 'gpt-2';
  if (steps.length === 2 && first?.type === 'Digits' && first.individual_digits === true && byteLevel(second, true)) return 'smollm';
  if (steps.length === 2 && first?.type === 'Split' && byteLevel(second, false)) {
    const pattern = isObject(first.pattern) ? first.pattern.Regex : undefined;
    const name = typeof pattern === 'string' && first.behavior === 'Isolated' && first.invert !== true ? SPLITS[pattern] : undefined;
    if (name) return name;
  }
  throw refuse('its way of cutting text into words is none that llama.cpp is known to have');
}

const TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** tokenizer.ggml.* for a vocabulary of `vocab` rows. Throws TOKENIZER. */
export function tokenizerKeys(tokenizerJson: string, vocab: number, specials: GgufSpecials): Map<string, GgufValue> {
  const json: unknown = JSON.parse(tokenizerJson);
  const model = isObject(json) ? json.model : undefined;
  if (!isObject(json) || !isObject(model) || model.type !== 'BPE' || !isObject(model.vocab) || !Array.isArray(model.merges))
    throw refuse('it is no byte-pair encoding');
  const merges = (model.merges as unknown[]).map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge)));

  const tokens = new Array<string | undefined>(vocab).fill(undefined);
  const types = new Int32Array(vocab).fill(TYPES.normal);
  for (const [text, id] of Object.entries(model.vocab)) if (Number(id) < vocab) tokens[Number(id)] = text;
  for (const added of (Array.isArray(json.added_tokens) ? json.added_tokens : []) as unknown[]) {
    if (!isObject(added) || typeof added.id !== 'number' || added.id >= vocab) continue;
    tokens[added.id] = String(added.content);
    types[added.id] = added.special === true ? TYPES.control : TYPES.userDefined;
  }
  tokens.forEach((text, id) => {
    // Rows beyond the vocabulary exist in some models; llama.cpp wants a name for each.
    if (text === undefined) types[id] = TYPES.unused;
  });
  const names = tokens.map((text, id) => text ?? `[PAD${id}]`);

  const keys = new Map<string, GgufValue>();
  if (model.byte_fallback === true) sentencePiece(keys, json, model, names, types, merges);
  else {
    keys.set('tokenizer.ggml.model', { type: 'string', value: 'gpt2' });
    keys.set('tokenizer.ggml.pre', { type: 'string', value: preTokenizerName(json.pre_tokenizer) });
    keys.set('tokenizer.ggml.tokens', { type: 'strings', value: names });
    keys.set('tokenizer.ggml.token_type', { type: 'i32s', value: types });
    keys.set('tokenizer.ggml.merges', { type: 'strings', value: merges });
  }
  const id = (name: string, value: number | null): void => {
    if (value !== null) keys.set(`tokenizer.ggml.${name}`, { type: 'u32', value });
  };
  id('bos_token_id', specials.bosId);
  id('eos_token_id', specials.eosId);
  id('padding_token_id', specials.padId);
  keys.set('tokenizer.ggml.add_bos_token', { type: 'bool', value: specials.addBos });
  keys.set('tokenizer.ggml.add_eos_token', { type: 'bool', value: false });
  if (specials.chatTemplate !== null) keys.set('tokenizer.chat_template', { type: 'string', value: specials.chatTemplate });
  return keys;
}

/**
 * SentencePiece's BPE, as Llama 1 and 2 have it. It merges the pair whose token has the highest score; the scores are the
 * ranks of the merges that make the tokens, so the order of merging is the same.
 */
function sentencePiece(
  keys: Map<string, GgufValue>,
  json: Json,
  model: Json,
  names: readonly string[],
  types: Int32Array,
  merges: readonly string[],
): void {
  const normalizer = JSON.stringify(json.normalizer ?? null);
  const space = /"▁"/.test(normalizer + JSON.stringify(json.pre_tokenizer ?? null));
  if (!space || /"Nmt"|"NFK|"Lowercase"/.test(normalizer)) throw refuse('its normaliser is not that of SentencePiece as Llama has it');
  const rank = new Map<string, number>();
  merges.forEach((merge, i) => {
    const made = merge.replace(' ', '');
    if (!rank.has(made)) rank.set(made, i);
  });
  names.forEach((text, id) => {
    if (types[id] === TYPES.normal && /^<0x[0-9A-F]{2}>$/.test(text)) types[id] = TYPES.byte;
    if (text === model.unk_token) types[id] = TYPES.unknown;
  });
  keys.set('tokenizer.ggml.model', { type: 'string', value: 'llama' });
  keys.set('tokenizer.ggml.pre', { type: 'string', value: 'default' });
  keys.set('tokenizer.ggml.tokens', { type: 'strings', value: names });
  // Single characters are never the result of a merge; they stand below all that are.
  keys.set('tokenizer.ggml.scores', {
    type: 'f32s',
    value: names.map((text, id) => (types[id] === TYPES.normal ? -(rank.get(text) ?? merges.length) : 0)),
  });
  keys.set('tokenizer.ggml.token_type', { type: 'i32s', value: types });
  keys.set('tokenizer.ggml.add_space_prefix', {
    type: 'bool',
    value: /"Prepend"|"prepend_scheme":"(always|first)"/.test(normalizer + JSON.stringify(json.pre_tokenizer ?? null)),
  });
}
