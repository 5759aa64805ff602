// Parts of a tokenizer.json that @huggingface/tokenizers silently ignores: patterns of an unknown kind (text would vanish),
// unsupported ways of splitting (words would be cut differently from the model's), and tokens that only count as whole words,
// or that only tokenizer_config.json has. They are refused by name.

import { AppError } from '../../base/errors';
import { tokenizerError, type TokenizerConfig, type TokenizerJson } from './tokenizer-files';

type Part = { readonly [key: string]: unknown };
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Limit for sequences within sequences. Real files have one or two; deeper ones would overflow the stack later. */
const MAX_DEPTH = 16;

/** A part and those inside it. */
function* partsOf(value: unknown, depth = 0): Generator<Part> {
  if (!isPart(value)) return;
  if (depth > MAX_DEPTH) throw tokenizerError(`tokenizer.json nests its steps more than ${MAX_DEPTH} deep.`);
  yield value;
  for (const inside of [value.pretokenizers, value.normalizers, value.decoders]) {
    if (Array.isArray(inside)) for (const part of inside as unknown[]) yield* partsOf(part, depth + 1);
  }
}

/** Throws TOKENIZER. */
export function refuseUnknownParts(json: TokenizerJson): void {
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder'].flatMap((name) => [...partsOf(json[name])])) {
    const { type, pattern, behavior, invert } = part;
    if (type !== 'Split' && type !== 'Replace') continue;
    if (!isPart(pattern) || typeof (pattern.Regex ?? pattern.String) !== 'string')
      throw tokenizerError(`tokenizer.json has a ${type} without a supported pattern.`);
    if (type === 'Replace') continue;
    if (invert !== undefined && typeof invert !== 'boolean')
      throw tokenizerError(`tokenizer.json has a Split whose invert is neither true nor false.`);
    const way = typeof behavior === 'string' ? behavior.toLowerCase() : '';
    if (way !== 'removed' && (way !== 'isolated' || invert === true))
      throw tokenizerError(`tokenizer.json splits text in an unsupported way (${String(behavior)}${invert === true ? ', inverted' : ''}).`);
  }
  // What samples say is decoded beside the training, where nothing can end a pattern that never comes to an end.
  if ([...partsOf(json.decoder)].some(({ pattern }) => isPart(pattern) && pattern.Regex !== undefined))
    throw tokenizerError('tokenizer.json has a decoder with a pattern (Regex), which no published model of a supported type has.');
  // It would be found everywhere and nowhere.
  if (json.added_tokens?.some(({ content }) => content === '')) throw tokenizerError('tokenizer.json has an added token that is empty.');
  const word = json.added_tokens?.find((token) => (token as unknown as Part).single_word === true);
  if (word) throw tokenizerError(`The added token '${word.content}' counts only as a whole word (single_word), which is not supported.`);
}

/** The patterns that published models have (Llama 3, Qwen 2 and 3). They are known to take time in proportion to the text. */
const PUBLISHED: ReadonlySet<string> = new Set(
  ['1,3}', ''].map(
    (digits) =>
      `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits && `{${digits}`}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  ),
);

/** Whether no part has a pattern that somebody unknown wrote, which might not come to an end. */
export function onlyKnownPatterns(json: TokenizerJson): boolean {
  const parts = ['normalizer', 'pre_tokenizer', 'decoder'].flatMap((name) => [...partsOf(json[name])]);
  return parts.every(({ pattern }) => !isPart(pattern) || typeof pattern.Regex !== 'string' || PUBLISHED.has(pattern.Regex));
}

/** transformers adds such a token to the tokenizer; here its text would be cut into pieces. Throws TOKENIZER. */
export function refuseUnknownTokens(json: TokenizerJson, config: TokenizerConfig): void {
  if (!isPart(config.added_tokens_decoder)) return;
  const known = new Set(json.added_tokens?.map(({ content }) => content));
  for (const token of Object.values(config.added_tokens_decoder)) {
    if (!isPart(token) || typeof token.content !== 'string' || known.has(token.content)) continue;
    throw new AppError(
      'TOKENIZER',
      `The added token '${token.content}' is in tokenizer_config.json but not in tokenizer.json.`,
      'Save the files again with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder).',
    );
  }
}
