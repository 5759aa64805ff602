// The places of the assistant's words in a long conversation, at a cost in proportion to its length. spans.ts renders every
// beginning of a conversation; of a long one that would be its length squared. Here each exchange is rendered behind the few messages
// before it, and what it adds must then stand in the whole rendering at the place where the last exchange ended. Where a template
// renders a message by more than its neighbours (it rewrites earlier turns, or counts), that does not hold, and nothing is concluded.

import type { Message } from '../read/types';
import { attempt, lastSpan, type Span, type SpanRules } from './spans';

/** Messages before an exchange: enough for a template that looks back at a call of a tool and its question. */
const BEFORE = 4;

/** Spans of all assistant turns in `full` = render(messages, false), ascending; null if they were not found this way. */
export function longSpans(messages: readonly Message[], full: string, rules: SpanRules): Span[] | null {
  const spans: Span[] = [];
  const systems = messages.findIndex(({ role }) => role !== 'system');
  /** Messages that are placed, and where they end in `full`. */
  let [placed, cursor] = [0, 0];
  for (const [i, { role }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const context = contextOf(messages, placed, Math.max(0, systems));
    const exchange = [...context, ...messages.slice(placed, i + 1)];
    const before = context.length === 0 ? '' : attempt(() => rules.render(context, false));
    const text = attempt(() => rules.render(exchange, false));
    if (before === null || !text?.startsWith(before) || !full.startsWith(text.slice(before.length), cursor)) return null;
    const span = lastSpan(exchange, text, rules);
    const shift = cursor - before.length;
    if (!span || span.start < before.length) return null;
    spans.push({ start: span.start + shift, end: span.end + shift });
    [placed, cursor] = [i + 1, text.length + shift];
  }
  return spans;
}

/** The messages behind which the next exchange is rendered: the system's, and the last ones from a user's on. All, at the beginning. */
function contextOf(messages: readonly Message[], placed: number, systems: number): Message[] {
  let from = placed - BEFORE;
  while (from > systems && messages[from].role !== 'user') from--;
  return from <= systems ? messages.slice(0, placed) : [...messages.slice(0, systems), ...messages.slice(from, placed)];
}
