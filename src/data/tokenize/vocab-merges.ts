// A GPT-2 tokenizer as its older files hold it, vocab.json and merges.txt, as the tokenizer.json that transformers would write:
// byte-level BPE with GPT-2's way of cutting words. Other tokenizers with such files cut words in other ways and are not read.

import { readJsonObject, specialText, tokenizerError } from './tokenizer-files';

export interface SlowTokenizer {
  readonly vocab: string;
  readonly merges: string;
  readonly tokenizerConfig?: string;
  readonly addedTokens?: string;
  readonly specialTokensMap?: string;
  /** model_type of config.json, which decides where tokenizer_config.json names no class. */
  readonly modelType?: string;
}

const CLASSES = new Set(['GPT2Tokenizer', 'GPT2TokenizerFast']);
const SPECIAL = ['bos_token', 'eos_token', 'unk_token', 'pad_token', 'sep_token', 'cls_token', 'mask_token'];
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Added {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly single_word: boolean;
}

/** Null if it is not one of GPT-2's kind. Throws TOKENIZER for files that are broken. */
export function tokenizerJsonOf({
  vocab: vocabText,
  merges: mergesText,
  tokenizerConfig,
  addedTokens,
  specialTokensMap,
  modelType,
}: SlowTokenizer): string | null {
  const config = readJsonObject('tokenizer_config.json', tokenizerConfig);
  const ofClass = config.tokenizer_class;
  if (typeof ofClass === 'string' ? !CLASSES.has(ofClass) : modelType !== 'gpt2') return null;
  const vocab = readJsonObject('vocab.json', vocabText);
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) throw tokenizerError(`vocab.json gives '${token}' no whole number.`);
    ids.set(token, id);
  }
  const merges = mergesText
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map((line, i) => {
      const pair = line.split(' ');
      if (pair.length !== 2) throw tokenizerError(`merges.txt: merge ${i + 1} is not a pair of tokens.`);
      return pair;
    });

  const added = new Map<number, Added>();
  const add = (id: number, content: string, flags: Readonly<Record<string, unknown>>): void => {
    const flag = (name: string, fallback: boolean): boolean => (typeof flags[name] === 'boolean' ? flags[name] : fallback);
    added.set(id, {
      id,
      content,
      special: flag('special', true),
      lstrip: flag('lstrip', false),
      rstrip: flag('rstrip', false),
      normalized: flag('normalized', false),
      single_word: flag('single_word', false),
    });
  };
  const map = readJsonObject('special_tokens_map.json', specialTokensMap);
  for (const key of SPECIAL) {
    const content = specialText(config, key) ?? specialText(map, key);
    const id = content === null ? undefined : ids.get(content);
    if (content !== null && id !== undefined) add(id, content, {});
  }
  // GPT-2's own end token is special whether or not a file says so.
  const end = ids.get('<|endoftext|>');
  if (end !== undefined) add(end, '<|endoftext|>', {});
  for (const [content, id] of Object.entries(readJsonObject('added_tokens.json', addedTokens)))
    if (typeof id === 'number') add(id, content, { special: false });
  if (isObject(config.added_tokens_decoder)) {
    for (const [id, token] of Object.entries(config.added_tokens_decoder))
      if (isObject(token) && typeof token.content === 'string') add(Number(id), token.content, token);
  }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: config.add_prefix_space === true, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...added.values()].sort((a, b) => a.id - b.id),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges,
    },
  });
}
