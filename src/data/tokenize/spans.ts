// Where the assistant's words are in a rendered conversation: from the end of the turn's header to the end of its end-of-turn
// token, without the line break after it. Only tokens there count toward the loss.
//
// Templates are programs, so the places are found by rendering: the messages before an assistant's turn, with the
// prompt for its answer, are normally how the whole conversation begins up to that answer. Where a template breaks
// this (it drops or rewrites earlier turns, or refuses to end there), the contents are looked up in order instead.

import { AppError } from '../../base/errors';
import type { Message } from '../read/types';
import type { Render } from './template';

/** Code units start ≤ i < end of the rendered text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface SpanRules {
  readonly render: Render;
  /** Special tokens as text, and which of them end a generated text. */
  readonly specialTokens: readonly string[];
  readonly endTokens: readonly string[];
}

/** Spans of all assistant turns in `full` = render(messages, false), or null where a turn's words are not in it. */
function assistantSpans(messages: readonly Message[], full: string, rules: SpanRules): Span[] | null {
  const spans: Span[] = [];
  let cursor = 0;
  for (const [i, { role, content }] of messages.entries()) {
    if (role !== 'assistant') {
      // A message that is not found verbatim (a template may leave it out) doesn't move the cursor.
      cursor = find(content, full, cursor)?.end ?? cursor;
      continue;
    }
    const span =
      spanByPrefix(messages, i, full, rules, spans.at(-1)?.end ?? 0) ??
      (messages[i].more?.tool_calls === undefined ? spanByContent(content, full, rules, cursor) : null);
    if (!span) return null;
    spans.push(span);
    cursor = span.end;
  }
  return spans;
}

/** A text to train on, and where the loss is taken in it. */
export interface TrainingText {
  readonly text: string;
  readonly spans: readonly Span[];
}

/**
 * What a conversation is trained as: its rendering, once. But where the template rewrites what came before an answer once
 * more follows (Qwen3 takes earlier thinking away), the model never sees such a text when it writes that answer; then
 * every answer is a text of its own, the conversation up to it, with the loss on that answer alone. Null where an answer's
 * words are not in its text.
 */
export function trainingTexts(messages: readonly Message[], full: string, rules: SpanRules): TrainingText[] | null {
  const answers = [...messages.keys()].filter((i) => messages[i].role === 'assistant');
  const trained = (_: unknown, answer: number): boolean => messages[answers[answer]].train !== false;
  const upTo = (i: number): string | null =>
    i === messages.length - 1 ? full : attempt(() => rules.render(messages.slice(0, i + 1), false));
  const alone = answers.map((i): TrainingText | null => {
    const text = upTo(i);
    const span = text === null ? null : lastSpan(messages.slice(0, i + 1), text, rules);
    return text === null || !span ? null : { text, spans: [span] };
  });
  const rewritten = alone.slice(0, -1).some((part) => part !== null && !full.startsWith(part.text.slice(0, part.spans[0].end)));
  if (rewritten && alone.every((part) => part !== null)) return alone.filter(trained);
  const spans = assistantSpans(messages, full, rules);
  return spans && [{ text: full, spans: spans.filter(trained) }];
}

/** Where answers lie that the file takes out of the loss; null where one is not in the text. */
export function untrainedSpans(messages: readonly Message[], full: string, rules: SpanRules): Span[] | null {
  if (messages.every(({ train }) => train !== false)) return [];
  const answers = messages.filter(({ role }) => role === 'assistant');
  return assistantSpans(messages, full, rules)?.filter((_, i) => answers[i].train === false) ?? null;
}

/** Of the answer that ends the conversation. */
export function lastSpan(messages: readonly Message[], text: string, rules: SpanRules): Span | null {
  return spanByPrefix(messages, messages.length - 1, text, rules, 0) ?? assistantSpans(messages, text, rules)?.at(-1) ?? null;
}

function spanByPrefix(messages: readonly Message[], i: number, full: string, rules: SpanRules, from: number): Span | null {
  const earlier = messages.slice(0, i);
  const head = prefixLength(earlier, true, full, rules.render) ?? headByHeader(earlier, messages[i].content, full, rules.render);
  if (head === null || head < from) return null;
  const turnEnd = i === messages.length - 1 ? full.length : prefixLength(messages.slice(0, i + 1), false, full, rules.render);
  if (turnEnd !== null && turnEnd < head) return null;
  // A call is written by the template, in words of its own.
  const found = messages[i].more?.tool_calls === undefined ? wordsAfter(messages[i].content, full, head, turnEnd, rules) : null;
  if (found) return { start: head, end: withEndToken(full, found.end, turnEnd, rules) };
  // The template rewrote the words (dropped a thinking part, say), but where they begin and end is known.
  return turnEnd === null ? null : { start: head, end: head + full.slice(head, turnEnd).trimEnd().length };
}

/**
 * Some templates end a prompt with more than the turn's header (the opening of a thinking part, which finished turns don't
 * have). Then the words begin at the last place that the prompt and the conversation still have in common.
 */
function headByHeader(earlier: readonly Message[], content: string, full: string, render: Render): number | null {
  const before = earlier.length === 0 ? 0 : prefixLength(earlier, false, full, render);
  const prompt = attempt(() => render(earlier, true));
  if (before === null || prompt === null || content === '') return null;
  let common = 0;
  while (common < prompt.length && prompt[common] === full[common]) common++;
  const at = full.lastIndexOf(content, common);
  return common > before && at >= before ? at : null;
}

/** Length of the rendering, if it is how `full` begins. */
function prefixLength(messages: readonly Message[], prompt: boolean, full: string, render: Render): number | null {
  const text = attempt(() => render(messages, prompt));
  return text !== null && full.startsWith(text) ? text.length : null;
}

/** A template may refuse a part of a conversation that it takes whole. */
export function attempt(render: () => string): string | null {
  try {
    return render();
  } catch (thrown) {
    // One that does not end would be tried again and again.
    if (thrown instanceof AppError) throw thrown;
    return null;
  }
}

/**
 * The content behind a turn's header. Right there, as a rule; else, what the template put before it (an empty thinking
 * part) may hold the same words, so the last place before the end tokens is taken, or the first where the end isn't known.
 */
function wordsAfter(content: string, full: string, head: number, turnEnd: number | null, rules: SpanRules): Span | null {
  if (full.startsWith(content, head)) return { start: head, end: head + content.length };
  const turn = full.slice(head, turnEnd === null ? full.length : endOfWords(full, head, turnEnd, rules));
  for (const words of [content, content.trim()]) {
    const at = turnEnd === null ? turn.indexOf(words) : turn.lastIndexOf(words);
    if (at >= 0) return { start: head + at, end: head + at + words.length };
  }
  return null;
}

/** The turn's end without the white space and special tokens there. */
function endOfWords(full: string, head: number, turnEnd: number, { specialTokens }: SpanRules): number {
  let turn = full.slice(head, turnEnd).trimEnd();
  for (;;) {
    const token = specialTokens.find((text) => turn.endsWith(text));
    if (token === undefined) return head + turn.length;
    turn = turn.slice(0, -token.length).trimEnd();
  }
}

/** The first place that an end token follows, since short words turn up anywhere; else the first place. */
function spanByContent(content: string, full: string, rules: SpanRules, cursor: number): Span | null {
  const first = find(content, full, cursor);
  if (!first) return null;
  const words = full.slice(first.start, first.end);
  for (let at = first.start; at >= 0 && words !== ''; at = full.indexOf(words, at + 1)) {
    const end = withEndToken(full, at + words.length, null, rules);
    if (end > at + words.length) return { start: at, end };
  }
  return first;
}

function find(content: string, full: string, from: number): Span | null {
  for (const words of [content, content.trim()]) {
    const at = full.indexOf(words, from);
    if (at >= 0) return { start: at, end: at + words.length };
  }
  return null;
}

/**
 * Moves the end past the end-of-turn token that follows the words, white space between allowed. That is a special token
 * inside the turn; where the turn's end isn't known, only one that is known to end texts (the next turn may begin
 * with a special token too).
 */
function withEndToken(full: string, end: number, turnEnd: number | null, { specialTokens, endTokens }: SpanRules): number {
  const space = /\s*/y;
  space.lastIndex = end;
  const at = end + space.exec(full)![0].length;
  const longest = (tokens: readonly string[]): number =>
    Math.max(0, ...tokens.filter((token) => full.startsWith(token, at)).map((token) => token.length));
  const ending = longest(endTokens);
  if (ending > 0) return at + ending;
  const special = longest(specialTokens);
  return special > 0 && turnEnd !== null && at + special <= turnEnd ? at + special : end;
}
