// Parts of a tokenizer.json that @huggingface/tokenizers reads past without a word: a pattern of a kind that it does not know
// (text would vanish), ways of splitting that it does not have (words would be cut elsewhere than the model's were), and
// tokens that only count as whole words, or that tokenizer_config.json alone has. They are refused by name.

import { AppError } from '../../base/errors';
import { tokenizerError, type TokenizerConfig, type TokenizerJson } from './tokenizer-files';

type Part = { readonly [key: string]: unknown };
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sequences within sequences; real files have one or two. Deeper ones would end the stack further on. */
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
      throw tokenizerError(`tokenizer.json has a ${type} without a pattern that is known here.`);
    if (type === 'Replace') continue;
    if (invert !== undefined && typeof invert !== 'boolean')
      throw tokenizerError(`tokenizer.json has a Split whose invert is neither true nor false.`);
    const way = typeof behavior === 'string' ? behavior.toLowerCase() : '';
    if (way !== 'removed' && (way !== 'isolated' || invert === true))
      throw tokenizerError(
        `tokenizer.json splits text in a way that is not supported here (${String(behavior)}${invert === true ? ', inverted' : ''}).`,
      );
  }
  const word = json.added_tokens?.find((token) => (token as unknown as Part).single_word === true);
  if (word)
    throw tokenizerError(`The added token '${word.content}' counts as a whole word only (single_word), which is not supported here.`);
}

/** transformers adds such a token to the tokenizer; here its text would be cut to pieces. Throws TOKENIZER. */
export function refuseUnknownTokens(json: TokenizerJson, config: TokenizerConfig): void {
  if (!isPart(config.added_tokens_decoder)) return;
  const known = new Set(json.added_tokens?.map(({ content }) => content));
  for (const token of Object.values(config.added_tokens_decoder)) {
    if (!isPart(token) || typeof token.content !== 'string' || known.has(token.content)) continue;
    throw new AppError(
      'TOKENIZER',
      `The added token '${token.content}' is in tokenizer_config.json but not in tokenizer.json.`,
      'Write the files anew with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder).',
    );
  }
}
