// The token that ends a turn. For a chat it is what the template writes behind an answer, whatever the tokenizer's files call their
// end token. It is found by rendering, because a template is a program.

import type { Message } from '../read/types';
import type { Ending, EndToken } from './ending';
import { renderer, type Render } from './template';
import type { Tokenizer } from './tokenizer';

const ANSWER = 'Zebra7';
const QUESTION: Message = { role: 'user', content: 'Hi' };
const PROBES: readonly (readonly Message[])[] = [
  [QUESTION, { role: 'assistant', content: ANSWER }],
  [{ role: 'system', content: 'Be brief' }, QUESTION, { role: 'assistant', content: ANSWER }],
];

const known = new WeakMap<Tokenizer, EndToken | null>();

/** The token that the chat template writes after the last answer, white space between allowed; null if it writes none. */
export function turnEndOf(tokenizer: Tokenizer): EndToken | null {
  let found = known.get(tokenizer);
  if (found === undefined) known.set(tokenizer, (found = findTurnEnd(tokenizer)));
  return found;
}

function findTurnEnd(tokenizer: Tokenizer): EndToken | null {
  const render = renderer(tokenizer);
  const rest = PROBES.map((messages) => afterAnswer(render, messages)).find((text) => text !== null);
  if (!rest) return null;
  const ends = tokenizer.eosIds.map((id) => tokenizer.tokenText(id));
  const longest = [...tokenizer.addedTokens, ...ends]
    .filter((token) => token.trim() !== '' && rest.startsWith(token))
    .reduce((best, token) => (token.length > best.length ? token : best), '');
  if (longest === '') return null;
  const ids = tokenizer.encode(longest);
  return ids.length === 1 ? { id: ids[0], text: longest } : null;
}

/** What follows the answer, without the white space before it; null if the template refuses the messages or hides the answer. */
function afterAnswer(render: Render, messages: readonly Message[]): string | null {
  try {
    const text = render(messages, false);
    const at = text.lastIndexOf(ANSWER);
    return at < 0 ? null : text.slice(at + ANSWER.length).trimStart();
  } catch {
    return null;
  }
}

export function endingOf(tokenizer: Tokenizer, of: Ending['of']): Ending {
  const { eosId } = tokenizer;
  const closing = eosId === null ? null : { id: eosId, text: tokenizer.tokenText(eosId) };
  const token = of === 'turn' ? turnEndOf(tokenizer) : of === 'text' ? closing : null;
  return { of, token, stopIds: [...new Set([...(token ? [token.id] : []), ...tokenizer.eosIds])] };
}

/** Whether the chat template would write something else if eos_token were `text`. */
export function eosTextMatters(tokenizer: Tokenizer, text: string): boolean {
  const other = { ...tokenizer, specialTexts: { ...tokenizer.specialTexts, eos_token: text } };
  const [now, then] = [tokenizer, other].map((one) => {
    const render = renderer(one);
    return PROBES.flatMap((messages) => [true, false].map((prompt) => attempt(() => render([...messages, ...messages.slice(-2)], prompt))));
  });
  return now.some((rendered, i) => rendered !== then[i]);
}

function attempt(render: () => string): string | null {
  try {
    return render();
  } catch {
    return null;
  }
}
