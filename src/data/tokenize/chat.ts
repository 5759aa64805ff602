// Turns conversations into token ids and loss masks. A conversation is rendered once and tokenized once, as a whole, so the
// model sees the same ids in training as in use. The mask is then applied to the tokens by their position.

import { bounded } from '../../base/bounded';
import { AppError } from '../../base/errors';
import { longSpans } from './long-conversation';
import { trainingTexts, untrainedSpans, type Span, type TrainingText } from './spans';
import { charactersOf, neverEnds, rendererOf, type Render } from './template';
import { turnEndOf } from './turn-end';
import { utf8Length } from './token-bytes';
import type { Tokenizer } from './tokenizer';
import type { ChatContext, Message, Sample } from '../read/types';

export type Mask = 'assistant' | 'all';

/** Up to this many messages every beginning of a conversation is rendered; that costs their square. */
const EXACT = 64;
/** … and, for a template that does not render a message by its neighbours alone, up to this many. */
const MOST_MESSAGES = 512;
/** A conversation is tokenized up to here: about the longest row that a run may have. */
const MOST_CHARACTERS = 2 ** 22;

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
  encode(messages: readonly Message[], mask: Mask, context?: ChatContext): Sample[];
  /** The same for a prompt and a completion that stand for themselves: joined as they are, with the tokenizer's end token behind. */
  encodePair(prompt: string, completion: string, mask: Mask): Sample[];
  /** Keys of the messages that the template does not look at. */
  unread(messages: readonly Message[]): string[];
  /** The ids from which an answer is sampled: the messages, then the beginning of the assistant's turn. */
  promptIds(messages: readonly Message[]): number[];
}

export function chatOf(tokenizer: Tokenizer): Chat {
  const { render: ownRender, reads } = rendererOf(tokenizer);
  const render = (messages: readonly Message[], prompt: boolean, context?: ChatContext): string => {
    try {
      return ownRender(messages, prompt, context);
    } catch (error) {
      if (error instanceof AppError) throw error;
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
    unread: (messages) =>
      messages.flatMap(({ more = {} }) =>
        Object.keys(more).filter((key) => !(reads(key) || (THOUGHTS.includes(key) && THOUGHTS.some(reads)))),
      ),
    encodePair: (prompt, completion, mask) => {
      const single = (id: number | null): string => (id === null ? '' : tokenizer.tokenText(id));
      const before = (tokenizer.addBos ? single(tokenizer.bosId) : '') + prompt;
      const text = before + completion + single(tokenizer.eosId);
      const ids = tokenizer.encode(text);
      const all = Uint8Array.from(ids, (_, i) => (i === 0 ? 0 : 1));
      const target = mask === 'all' ? all : targetsOf(tokenizer, text, ids, [{ start: before.length, end: text.length }]);
      return [{ ids: Uint32Array.from(ids), target }];
    },
    // A long conversation is many renderings, each with a limit of its own (template.ts).
    encode: (messages, mask, context) =>
      messages.length > EXACT
        ? encode(messages, mask, context)
        : bounded(() => encode(messages, mask, context), charactersOf(messages), neverEnds),
  };

  function encode(messages: readonly Message[], mask: Mask, context?: ChatContext): Sample[] {
    refuseUnread(messages, context, reads);
    const full = render(messages, false, context);
    const own: Render = (some, prompt) => ownRender(some, prompt, context);
    const rules = { render: remembered(own), specialTokens, endTokens };
    const placed = messages.length > EXACT ? longSpans(messages, full, { ...rules, render: own }) : null;
    const answers = messages.filter(({ role }) => role === 'assistant');
    const ofAnswers = (trained: boolean): Span[] | null => placed && placed.filter((_, i) => (answers[i].train !== false) === trained);
    if (mask === 'all') {
      const text = beginning(full);
      const ids = tokenizer.encode(text);
      const target = Uint8Array.from(ids, (_, i) => (i === 0 ? 0 : 1));
      const out = ofAnswers(false) ?? untrainedSpans(messages, full, rules);
      const dropped = out && out.length > 0 ? targetsOf(tokenizer, text, ids, out) : null;
      if (out) return [{ ids: Uint32Array.from(ids), target: dropped ? target.map((one, i) => (dropped[i] === 1 ? 0 : one)) : target }];
    }
    if (!placed && messages.length > MOST_MESSAGES) {
      throw new AppError(
        'DATASET_PARSE',
        `The conversation has ${messages.length} messages, and the model's chat template does not render each by its neighbours alone; then at most ${MOST_MESSAGES} can be read.`,
        'Split the conversation into several rows.',
      );
    }
    const spans = ofAnswers(true);
    const texts: readonly TrainingText[] | null =
      mask === 'all' ? null : spans ? [{ text: full, spans }] : trainingTexts(messages, full, rules);
    if (!texts) {
      throw new AppError(
        'DATASET_PARSE',
        "The model's chat template changes the assistant's words, so they cannot be found in the text.",
        "Train on all tokens (mask 'all').",
      );
    }
    return texts.map(({ text: whole, spans: places }) => {
      const text = beginning(whole);
      const ids = tokenizer.encode(text);
      return { ids: Uint32Array.from(ids), target: targetsOf(tokenizer, text, ids, places) };
    });
  }
}

/** Two names of the same thing. */
const THOUGHTS = ['reasoning_content', 'thinking'];
/** Keys of a message whose content would be learned if the template wrote it. */
const LEARNED = ['tool_calls', 'function_call', ...THOUGHTS, 'reasoning'];

/** A template that does not write what the row has would train something else than the row says. */
function refuseUnread(messages: readonly Message[], context: ChatContext = {}, reads: (name: string) => boolean): void {
  const refuse = (field: string): never => {
    throw new AppError(
      'DATASET_PARSE',
      `${field} is not written by the model's chat template, so it would not be learned`,
      'Choose a model whose template knows it, write it into the content, or remove the field.',
    );
  };
  for (const key of ['tools', 'documents'] as const) if (context[key] && !reads(key)) refuse(key);
  const unknown = Object.keys(context.options ?? {}).find((key) => !reads(key));
  if (unknown !== undefined) refuse(`chat_template_kwargs.${unknown}`);
  for (const [i, { more = {} }] of messages.entries()) {
    for (const key of LEARNED)
      if (more[key] !== undefined && !(reads(key) || (THOUGHTS.includes(key) && THOUGHTS.some(reads)))) refuse(`messages[${i}].${key}`);
  }
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

/** The part of a rendering that is tokenized, ended at white space where there is some. */
function beginning(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  const space = text.lastIndexOf(' ', MOST_CHARACTERS);
  return text.slice(0, space > MOST_CHARACTERS / 2 ? space : MOST_CHARACTERS).toWellFormed();
}

/** 1 for each token whose last byte lies in a span; target[0] is 0. `spans` ascend and do not overlap. */
function targetsOf(tokenizer: Tokenizer, text: string, ids: readonly number[], spans: readonly Span[]): Uint8Array {
  const target = new Uint8Array(ids.length);
  const ends = tokenizer.tokenEnds(text, ids);
  const byteOf = byteOffsets(text);
  let from = 0;
  for (const span of spans) {
    if (span.start >= text.length) break;
    const [first, last] = ends
      ? tokensByBytes(ends, byteOf(span.start), byteOf(span.end), from)
      : tokensByPrefix(tokenizer, text, ids, span);
    target.fill(1, Math.max(1, first), Math.max(1, last));
    from = last;
  }
  return target;
}

/** UTF-8 offsets of places that are asked in ascending order, each at the cost of the text since the last. */
function byteOffsets(text: string): (place: number) => number {
  let [at, bytes] = [0, 0];
  return (place) => {
    const end = Math.min(place, text.length);
    // Half of a character has a length of its own.
    const whole = end < at || isInside(text, end) || isInside(text, at);
    bytes = whole ? utf8Length(text, end) : bytes + utf8Length(text.slice(at, end), end - at);
    at = end;
    return bytes;
  };
}

const isInside = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');

/** Tokens first ≤ i < last that end in (start, end]; one of no bytes belongs to what follows it. None before `from` does. */
function tokensByBytes(ends: Uint32Array, start: number, end: number, from: number): [number, number] {
  let first = from;
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
