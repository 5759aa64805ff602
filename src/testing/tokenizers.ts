// Tokenizers for tests: the built-in model's, and variants of it with another chat template or other special tokens.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer, type TokenizerFiles } from '../data/tokenize/tokenizer';

export const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'public/models/wordsmith-2m');
export const VOCAB = 2048;

export const builtinFiles = (): TokenizerFiles => ({
  tokenizerJson: readFileSync(join(MODEL, 'tokenizer.json'), 'utf8'),
  tokenizerConfig: readFileSync(join(MODEL, 'tokenizer_config.json'), 'utf8'),
  generationConfig: readFileSync(join(MODEL, 'generation_config.json'), 'utf8'),
});

export const builtinTokenizer = (): Tokenizer => loadTokenizer(builtinFiles(), VOCAB);

type Json = { [key: string]: unknown };
export const parseJson = (text: string): Json => JSON.parse(text) as Json;

export interface Variant {
  /** null: no template. */
  readonly template: string | null;
  /** Names of tokens 0, 1 and 2. */
  readonly specials?: readonly [string, string, string];
  /** More fields of tokenizer_config.json; null removes one. */
  readonly config?: Json;
  /** More fields of tokenizer.json. */
  readonly json?: Json;
  readonly eos?: readonly number[];
}

/** The built-in tokenizer with other special tokens, template or parts. */
export function variantFiles({ template, specials, config, json, eos }: Variant): TokenizerFiles {
  const files = builtinFiles();
  let tokenizerJson = files.tokenizerJson;
  let tokenizerConfig = files.tokenizerConfig ?? '';
  ['<|endoftext|>', '<|im_start|>', '<|im_end|>'].forEach((name, i) => {
    tokenizerJson = tokenizerJson.replaceAll(name, specials?.[i] ?? name);
    tokenizerConfig = tokenizerConfig.replaceAll(name, specials?.[i] ?? name);
  });
  return {
    tokenizerJson: JSON.stringify({ ...parseJson(tokenizerJson), ...json }),
    tokenizerConfig: JSON.stringify({ ...parseJson(tokenizerConfig), chat_template: template, ...config }),
    generationConfig: eos ? JSON.stringify({ eos_token_id: eos }) : files.generationConfig,
  };
}

export const variant = (of: Variant): Tokenizer => loadTokenizer(variantFiles(of), VOCAB);

/** A SentencePiece tokenizer from a model that this project did not make, or null if it isn't at hand. */
export function stories260kFiles(): TokenizerFiles | null {
  const folder = join(ROOT, '../shared/real/stories260k');
  if (!existsSync(folder)) {
    // The caller skips the tests that need it.
    console.log(`skipped: what is tested with the story model's tokenizer (it is not in ${folder})`);
    return null;
  }
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { tokenizerJson: read('tokenizer.json'), tokenizerConfig: read('tokenizer_config.json'), modelConfig: read('config.json') };
}

export function stories260k(): Tokenizer | null {
  const files = stories260kFiles();
  return files && loadTokenizer(files, 512);
}
