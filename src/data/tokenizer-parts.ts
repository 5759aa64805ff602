// Parts of a tokenizer.json that @huggingface/tokenizers reads past without a word: a pattern of a kind that it does not know
// (text would vanish), ways of splitting that it does not have (words would be cut elsewhere than the model's were), and
// tokens that only count as whole words. They are refused by name.

import { tokenizerError, type TokenizerJson } from './tokenizer-files';

type Part = { readonly [key: string]: unknown };
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A part and those inside it. */
function* partsOf(value: unknown): Generator<Part> {
  if (!isPart(value)) return;
  yield value;
  for (const inside of [value.pretokenizers, value.normalizers, value.decoders]) {
    if (Array.isArray(inside)) for (const part of inside as unknown[]) yield* partsOf(part);
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
