// The files that describe a tokenizer, checked before anything relies on them: tokenizer.json, tokenizer_config.json,
// generation_config.json, config.json and chat_template.jinja of the Hugging Face layout. Only the fields that are used here
// are checked.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config-fields';

/** Contents of the files as text; files that a model doesn't have are left out. */
export interface TokenizerFiles {
  readonly tokenizerJson: string;
  readonly tokenizerConfig?: string;
  readonly generationConfig?: string;
  /** config.json, for bos_token_id and eos_token_id where the other files don't say. */
  readonly modelConfig?: string;
  readonly chatTemplateJinja?: string;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

export interface TokenizerJson {
  readonly model: { readonly vocab: unknown; readonly [key: string]: unknown };
  readonly added_tokens?: readonly AddedToken[];
  readonly decoder?: unknown;
  readonly [key: string]: unknown;
}

export interface TokenizerConfig {
  readonly [key: string]: unknown;
}

export function tokenizerError(detail: string, cause?: unknown): AppError {
  return new AppError('TOKENIZER', detail, 'Use the tokenizer files that came with the model.', { cause });
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;

/** A file that holds one JSON object; {} for a file that isn't there. */
export function readJsonObject(name: string, text: string | undefined): Json {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    throw tokenizerError(`${name} is not valid JSON.`, error);
  }
  if (!isObject(value)) throw tokenizerError(`${name} does not hold a JSON object.`);
  return value;
}

/** tokenizer.json with every id checked to be a whole number. */
export function readTokenizerJson(text: string): TokenizerJson {
  const name = 'tokenizer.json';
  const json = readJsonObject(name, text);
  const { model, added_tokens: added } = json;
  if (!isObject(model)) throw tokenizerError(`${name} has no model.`);
  const { vocab } = model;
  // BPE and WordPiece: entry → id. Unigram: a list of [entry, score], the place being the id.
  if (isObject(vocab)) {
    for (const [entry, id] of Object.entries(vocab)) {
      if (!isId(id)) throw tokenizerError(`${name} gives '${entry}' the id ${shown(id)}.`);
    }
  } else if (!Array.isArray(vocab)) throw tokenizerError(`${name} has no vocabulary.`);
  if (added !== undefined && added !== null && !Array.isArray(added)) throw tokenizerError(`The added tokens of ${name} are not a list.`);
  for (const token of (added ?? []) as unknown[]) {
    if (!isObject(token) || !isId(token.id) || typeof token.content !== 'string')
      throw tokenizerError(`${name} has an added token without id or content.`);
  }
  // The library requires these five fields, with null if unused.
  return withoutIdleSplit({
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...json,
    model: { ...model, vocab },
    added_tokens: (added ?? []) as AddedToken[],
  });
}

/** A cut at spaces, where the normaliser has replaced every space by something without one, cuts nothing (Gemma): it is left out. */
function withoutIdleSplit(json: TokenizerJson): TokenizerJson {
  const literal = (part: unknown, type: string): boolean =>
    isObject(part) && part.type === type && isObject(part.pattern) && part.pattern.String === ' ';
  const { normalizer, pre_tokenizer: split } = json;
  if (!isObject(normalizer) || !literal(normalizer, 'Replace') || !literal(split, 'Split')) return json;
  return typeof normalizer.content === 'string' && !normalizer.content.includes(' ') ? { ...json, pre_tokenizer: null } : json;
}

/** A special token of tokenizer_config.json: a string, or an object with content. */
export function specialText(config: TokenizerConfig, key: string): string | null {
  const value = config[key];
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value.content === 'string' ? value.content : null;
}

/** eos_token_id and the like: one id, a list of ids, or nothing. */
export function idsOf(name: string, config: Json, key: string): number[] {
  const value = config[key];
  if (value === undefined || value === null) return [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  // Some configurations say -1 for "none".
  return ids
    .filter((id) => id !== -1)
    .map((id) => {
      if (!isId(id)) throw tokenizerError(`${name} gives ${key} the value ${shown(value)}.`);
      return id;
    });
}

/** The chat template: its own file takes precedence over tokenizer_config.json; if there are several, the one called default. */
export function chatTemplateOf(files: TokenizerFiles, config: TokenizerConfig): string | null {
  if (files.chatTemplateJinja !== undefined) return files.chatTemplateJinja;
  const value = config.chat_template;
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  const named = (value as unknown[]).filter(
    (entry): entry is { name: string; template: string } => isObject(entry) && typeof entry.template === 'string',
  );
  return (named.find((entry) => entry.name === 'default') ?? named[0])?.template ?? null;
}
