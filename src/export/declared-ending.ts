// What an exported model declares as its end: the token that training taught to end a turn or a text, in every file of the model that
// names one. transformers and vLLM stop at generation_config.json's ids, llama.cpp's converter reads tokenizer_config.json. Files that
// already say so stay byte for byte as they were.

import { AppError } from '../base/errors';
import { scanJson } from '../base/json-scan';
import type { Ending } from '../data/tokenize/ending';

/** The ending as files declare it. */
export interface DeclaredEnding extends Pick<Ending, 'token' | 'stopIds'> {
  /** Whether tokenizer files may call the token eos_token: not where the chat template writes eos_token somewhere else. */
  readonly renames: boolean;
}

export const GENERATION = 'generation_config.json';

/** A text file of the model with the ending in it. `text` null: the model has no such file; null: it needs none. */
export function withEnding(path: string, text: string | null, { token, stopIds, renames }: DeclaredEnding): string | null {
  if (token === null) return text;
  const ids = stopIds.length === 1 ? String(stopIds[0]) : `[${stopIds.join(', ')}]`;
  if (path === GENERATION || path === 'config.json') {
    if (text === null) return path === GENERATION ? `{\n  "eos_token_id": ${ids}\n}\n` : null;
    const now = (JSON.parse(text) as { readonly eos_token_id?: unknown }).eos_token_id;
    const declared = [now].flat().includes(token.id);
    return declared ? text : withEntry(text, 'eos_token_id', ids);
  }
  if (text === null || !renames) return text;
  if (path !== 'tokenizer_config.json' && path !== 'special_tokens_map.json') return text;
  const now = (JSON.parse(text) as { readonly eos_token?: unknown }).eos_token;
  if (now === undefined && path === 'special_tokens_map.json') return text;
  const named = typeof now === 'object' && now !== null ? (now as { readonly content?: unknown }).content : now;
  return named === token.text ? text : withEntry(text, 'eos_token', JSON.stringify(token.text));
}

/** A JSON object's text with one entry set: the value replaced, or the entry added at the end in the layout of the first. */
export function withEntry(text: string, key: string, value: string): string {
  const { entries } = scanJson(text);
  const hit = entries.filter((entry) => entry.key === key).at(-1);
  if (hit) return text.slice(0, hit.start) + value + text.slice(hit.end);
  const last = entries.at(-1);
  // Copies the white space before the first key, so that the new line looks like the others.
  const [open, indent] = /^\s*\{(\s*)/.exec(text) ?? [];
  if (open === undefined) throw new AppError('INTERNAL', `There is no object to put ${key} into.`, '');
  const entry = `"${key}": ${value}`;
  return last ? `${text.slice(0, last.end)},${indent}${entry}${text.slice(last.end)}` : text.replace('{', `{${entry}`);
}
