// Turns conversations into token ids and loss masks. A conversation is rendered once and tokenized once, as a whole, so the
// model sees the same ids in training as in use. The mask is then applied to the tokens by their position.

import { AppError } from '../../base/errors';
import { trainingTexts, type Span } from './spans';
import { renderer, type Render } from './template';
import { turnEndOf } from './turn-end';
import { utf8Length } from './token-bytes';
import type { Tokenizer } from './tokenizer';
import type { Message, Sample } from '../read/types';

export type Mask = 'assistant' | 'all';

export interface Chat {
  /** Whether the text comes from the model's own chat template. */
  readonly ownTemplate: boolean;
  /** The whole conversation as text. */
  text(messages: readonly Message[]): string;
  /**
   * Ids of the whole conversation, nothing added to what the template writes, and its targets. Mask 'assistant': the
   * words of every assistant turn and its end token; a token that straddles an edge counts where its last byte lies. One
   * sample, or one an answer where the template rewrites earlier turns (trainingTexts). Mask 'all': one sample, every token
   * but the first. DATASET_PARSE where the template refuses the conversation or hides the assistant's words. A sample may
   * be shorter than one has to be.
   */
  encode(messages: readonly Message[], mask: Mask): Sample[];
  /** The ids from which an answer is sampled: the messages, then the beginning of the assistant's turn. */
  promptIds(messages: readonly Message[]): number[];
}

export function chatOf(tokenizer: Tokenizer): Chat {
  const ownRender = renderer(tokenizer);
  const render = (messages: readonly Message[], prompt: boolean): string => {
    try {
      return ownRender(messages, prompt);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AppError(
        'DATASET_PARSE',
        `The model's chat template refuses the conversation: ${reason}`,
        'Write the messages in the order and with the roles that the model knows.',
        { cause: error },
      );
    }
  };
  const ends = [...tokenizer.eosIds.map((id) => tokenizer.tokenText(id)), turnEndOf(tokenizer)?.text ?? ''];
  const endTokens = [...new Set(ends)].filter((text) => text !== '');
  const specialTokens = [...new Set([...tokenizer.specialTokens, ...endTokens])];

  return {
    ownTemplate: tokenizer.chatTemplate !== null,
    text: (messages) => render(messages, false),
    promptIds: (messages) => tokenizer.encode(render(messages, true)),
    encode: (messages, mask) => {
      const full = render(messages, false);
      if (mask === 'all') {
        const ids = tokenizer.encode(full);
        return [{ ids: Uint32Array.from(ids), target: Uint8Array.from(ids, (_, i) => (i === 0 ? 0 : 1)) }];
      }
      const texts = trainingTexts(messages, full, { render: remembered(ownRender), specialTokens, endTokens });
      if (!texts) {
        throw new AppError(
          'DATASET_PARSE',
          "The model's chat template changes the assistant's words, so they cannot be found in the text.",
          "Train on all tokens (mask 'all').",
        );
      }
      return texts.map(({ text, spans }) => {
        const ids = tokenizer.encode(text);
        return { ids: Uint32Array.from(ids), target: targetsOf(tokenizer, text, ids, spans) };
      });
    },
  };
}

/** Renders each beginning of one conversation once. What the template throws is thrown again. */
function remembered(render: Render): Render {
  const made = new Map<string, { readonly text: string } | { readonly error: unknown }>();
  return (messages, prompt) => {
    const key = `${messages.length} ${prompt}`;
    let result = made.get(key);
    if (!result) {
      try {
        result = { text: render(messages, prompt) };
      } catch (error) {
        result = { error };
      }
      made.set(key, result);
    }
    if ('error' in result) throw result.error;
    return result.text;
  };
}

/** 1 for each token whose last byte lies in a span; target[0] is 0. */
function targetsOf(tokenizer: Tokenizer, text: string, ids: readonly number[], spans: readonly Span[]): Uint8Array {
  const target = new Uint8Array(ids.length);
  const ends = tokenizer.tokenEnds(text, ids);
  for (const span of spans) {
    const [first, last] = ends
      ? tokensByBytes(ends, utf8Length(text, span.start), utf8Length(text, span.end))
      : tokensByPrefix(tokenizer, text, ids, span);
    target.fill(1, Math.max(1, first), Math.max(1, last));
  }
  return target;
}

/** Tokens first ≤ i < last that end in (start, end]; one of no bytes belongs to what follows it. */
function tokensByBytes(ends: Uint32Array, start: number, end: number): [number, number] {
  let first = 0;
  while (first < ends.length && (ends[first] < start || (ends[first] === start && ends[first] > (ends[first - 1] ?? 0)))) first++;
  let last = first;
  while (last < ends.length && (ends[last] < end || (ends[last] === end && ends[last] > (ends[last - 1] ?? 0)))) last++;
  return [first, last];
}

/**
 * For tokenizers whose tokens don't spell the text: a token lies before a place if the text up to that place also has it.
 * This is exact if the place is a token boundary, and templates put special tokens there.
 */
function tokensByPrefix(tokenizer: Tokenizer, text: string, ids: readonly number[], span: Span): [number, number] {
  const before = (place: number): number => {
    const prefix = tokenizer.encode(text.slice(0, place));
    const differs = prefix.findIndex((id, i) => id !== ids[i]);
    return differs < 0 ? prefix.length : differs;
  };
  return [before(span.start), before(span.end)];
}
