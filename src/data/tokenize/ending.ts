// How a turn or a text ends: one fact of a run, found from what is trained (turn-end.ts). The preview names it, sampling stops at it,
// and exports declare it.

export interface EndToken {
  readonly id: number;
  /** As the tokenizer spells it. */
  readonly text: string;
}

export interface Ending {
  /** What the samples teach to end: turns of a chat, whole texts, or nothing (windows of one continuous text). */
  readonly of: 'turn' | 'text' | 'nothing';
  /** Null: no token that stops a model is trained there. */
  readonly token: EndToken | null;
  /** Where a generated text stops: the token above first, then those that the model's files name. */
  readonly stopIds: readonly number[];
}

/** What a person has to know before training, in one sentence or two; null if there is nothing to say. */
export function endingText({ of, token }: Ending): string | null {
  if (of === 'nothing') return null;
  if (token) return `${of === 'turn' ? 'turns' : 'texts'} end with ${token.text}`;
  return of === 'turn'
    ? 'no answer ends with a token that stops this model, because its chat template writes none: the tuned model will not learn to stop, and goes on to the limit of tokens here and elsewhere'
    : 'no text ends with a token that stops this model, because its tokenizer names none: the tuned model goes on to the limit of tokens';
}
