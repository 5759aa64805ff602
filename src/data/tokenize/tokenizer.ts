// The model's tokenizer: @huggingface/tokenizers behind checks that this project needs (every id below the
// vocabulary size, broken files named) and the few facts about special tokens that training and sampling use.

import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { bounded } from '../../base/bounded';
import { AppError } from '../../base/errors';
import { independentPieces } from './bpe-split';
import { TokenBytes } from './token-bytes';
import { onlyKnownPatterns, refuseUnknownParts, refuseUnknownTokens } from './tokenizer-parts';
import { useRustPatterns } from './unicode-patterns';
import {
  chatTemplateOf,
  idsOf,
  readJsonObject,
  readTokenizerJson,
  specialText,
  tokenizerError,
  type TokenizerFiles,
} from './tokenizer-files';

export type { TokenizerFiles } from './tokenizer-files';

export interface Tokenizer {
  /** Embedding rows of the model; every id that is returned is below it. */
  readonly vocabSize: number;
  /** Ids of the text alone, with nothing added before or after. Special tokens inside become their single ids. */
  encode(text: string): number[];
  /** Ids with what the tokenizer's post-processor adds (<s> and the like). */
  encodeWithSpecials(text: string): number[];
  decode(ids: readonly number[], options?: { readonly skipSpecial?: boolean }): string;
  /** Tokens that end a generated text. */
  readonly eosIds: readonly number[];
  /** The token at the end of a training document: tokenizer_config.json's eos_token, else the first of eosIds. */
  readonly eosId: number | null;
  readonly bosId: number | null;
  /** Whether a document or a plain prompt begins with bosId. Chat templates write their own. */
  readonly addBos: boolean;
  readonly chatTemplate: string | null;
  /** bos_token, eos_token, … as text, for the chat template. */
  readonly specialTexts: Readonly<Record<string, string>>;
  /** Added tokens that are special, as text. */
  readonly specialTokens: readonly string[];
  /** All added tokens, as text. */
  readonly addedTokens: readonly string[];
  /** A token as the vocabulary spells it; '' for an id without a token. */
  tokenText(id: number): string;
  /** For each token one past its last byte in the text's UTF-8; null where the tokens don't spell the text. */
  tokenEnds(text: string, ids: readonly number[]): Uint32Array | null;
}

const SPECIAL_KEYS = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;

/**
 * Errors: TOKENIZER for files that are broken or of a kind that isn't supported, TOKEN_RANGE where an end or start
 * token lies outside the model's vocabulary. A vocabulary may name more tokens than the model has rows (some models
 * come so); the ids that a text really gives are checked when it is encoded.
 */
export function loadTokenizer(files: TokenizerFiles, vocabSize: number): Tokenizer {
  const json = readTokenizerJson(files.tokenizerJson);
  const config = readJsonObject('tokenizer_config.json', files.tokenizerConfig);
  const generation = readJsonObject('generation_config.json', files.generationConfig);
  const model = readJsonObject('config.json', files.modelConfig);
  refuseUnknownParts(json);
  refuseUnknownTokens(json, config);
  let inner: HuggingFaceTokenizer;
  try {
    // A vocabulary of 262,144 tokens has 33 MB and takes some seconds, on a busy machine ten.
    inner = bounded(() => new HuggingFaceTokenizer(json, config), files.tokenizerJson.length / 20, tooSlow);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw tokenizerError(`tokenizer.json cannot be used (${error instanceof Error ? error.message : String(error)}).`, error);
  }
  const known = onlyKnownPatterns(json);
  useRustPatterns(inner.pre_tokenizer);
  const split = independentPieces(json);
  if (split) inner.pre_tokenizer = split as unknown as HuggingFaceTokenizer['pre_tokenizer'];

  const tokenText = (id: number): string => inner.id_to_token(id) ?? '';
  const checked = (ids: readonly unknown[], text: string): number[] =>
    ids.map((id, i) => {
      if (typeof id !== 'number') throw tokenizerError(`The tokenizer has no token for a part of '${excerpt(text)}'.`);
      if (id >= vocabSize) throw rangeError(id, tokenText(id), vocabSize, `token ${i + 1} of '${excerpt(text)}'`);
      return id;
    });
  const encodeAs = (text: string, add_special_tokens: boolean): number[] => {
    let ids: readonly unknown[];
    try {
      // Half of a surrogate pair has no UTF-8 form. It becomes U+FFFD, as everywhere when text becomes bytes.
      const encode = (): readonly unknown[] => inner.encode(text.toWellFormed(), { add_special_tokens }).ids;
      ids = known ? encode() : bounded(encode, text.length, () => tooSlowOn(text));
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw tokenizerError(`The tokenizer fails on '${excerpt(text)}' (${error instanceof Error ? error.message : String(error)}).`, error);
    }
    return checked(ids, text);
  };

  const specialTexts: Record<string, string> = {};
  for (const key of SPECIAL_KEYS) {
    const text = specialText(config, key);
    if (text !== null) specialTexts[key] = text;
  }
  const idOf = (text: string | undefined): number[] => {
    const id = text === undefined ? undefined : inner.token_to_id(text);
    return id === undefined ? [] : [id];
  };
  const fromConfig = idOf(specialTexts.eos_token);
  const others = [...idsOf('generation_config.json', generation, 'eos_token_id'), ...idsOf('config.json', model, 'eos_token_id')];
  const eosIds = [...new Set([...fromConfig, ...others])];
  const bosId =
    [
      ...idOf(specialTexts.bos_token),
      ...idsOf('generation_config.json', generation, 'bos_token_id'),
      ...idsOf('config.json', model, 'bos_token_id'),
    ][0] ?? null;
  for (const id of bosId === null ? eosIds : [...eosIds, bosId]) {
    if (id >= vocabSize) throw rangeError(id, tokenText(id), vocabSize, 'a start or end token');
  }
  const eosId = eosIds[0] ?? null;
  // A template may write the tokens even if the configuration only gives their ids; null in the configuration means that it
  // writes none.
  if (bosId !== null && config.bos_token !== null) specialTexts.bos_token ??= tokenText(bosId);
  if (eosId !== null && config.eos_token !== null) specialTexts.eos_token ??= tokenText(eosId);

  const tokenBytes = new TokenBytes(json, (id) => inner.id_to_token(id));
  return {
    vocabSize,
    encode: (text) => encodeAs(text, false),
    encodeWithSpecials: (text) => encodeAs(text, true),
    decode: (ids, options) => {
      if (ids.length === 0) return '';
      try {
        return inner.decode([...ids], {
          skip_special_tokens: options?.skipSpecial ?? false,
          // It changes the text ("a ." to "a."), so it is used only if the files ask for it.
          clean_up_tokenization_spaces: config.clean_up_tokenization_spaces === true,
        });
      } catch (error) {
        throw tokenizerError(
          `The tokenizer cannot write tokens as text (${error instanceof Error ? error.message : String(error)}).`,
          error,
        );
      }
    },
    eosIds,
    eosId,
    bosId,
    addBos: bosId !== null && (typeof config.add_bos_token === 'boolean' ? config.add_bos_token : encodeAs('a', true)[0] === bosId),
    chatTemplate: chatTemplateOf(files, config),
    specialTexts,
    specialTokens: (json.added_tokens ?? []).filter((token) => token.special).map((token) => token.content),
    addedTokens: (json.added_tokens ?? []).map((token) => token.content),
    tokenText,
    tokenEnds: (text, ids) => tokenBytes.ends(text, ids),
  };
}

const tooSlow = (): AppError => tokenizerError('tokenizer.json cannot be read in a reasonable time.');
const tooSlowOn = (text: string): AppError =>
  tokenizerError(`The tokenizer does not come to an end on '${excerpt(text)}': one of its patterns takes exponential time.`);

const excerpt = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function rangeError(id: number, text: string, vocabSize: number, where: string): AppError {
  return new AppError(
    'TOKEN_RANGE',
    `Token ${id} ('${text}'), ${where}, is outside the model's vocabulary of ${vocabSize}.`,
    'The tokenizer belongs to another model. Use the tokenizer files that came with this one.',
  );
}
