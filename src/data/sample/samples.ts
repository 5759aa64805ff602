// Turns rows into samples of at most T + 1 tokens. Conversations are cut off there. Texts are split into windows that overlap
// by one token, which ends one window and begins the next, so every token is predicted exactly once.

import { AppError } from '../../base/errors';
import { chatOf, type Mask } from '../tokenize/chat';
import type { Tokenizer } from '../tokenize/tokenizer';
import type { BadRow, DataRow, Sample } from '../read/types';

/** A row in tokens, and which of them count toward the loss. */
export interface Encoded {
  readonly ids: Uint32Array;
  readonly target: Uint8Array;
}

export const longest = (parts: readonly Encoded[]): number => Math.max(...parts.map(({ ids }) => ids.length));

/** A conversation is cut off at T + 1 tokens; a text, or a conversation that fits, stays as it is. */
export function cutConversation(row: DataRow, whole: Encoded, seqLen: number): Encoded {
  const limit = seqLen + 1;
  if (row.kind !== 'chat' || whole.ids.length <= limit) return whole;
  return { ids: whole.ids.slice(0, limit), target: whole.target.slice(0, limit) };
}

/** Rows to tokens, uncut. `at`: the row's line, for errors of the chat template. */
export function rowEncoder(
  tokenizer: Tokenizer,
  { mask, continuous }: { readonly mask: Mask; readonly continuous: boolean },
): (row: DataRow, at: number) => readonly Encoded[] | BadRow {
  const chat = chatOf(tokenizer);
  const start = !continuous && tokenizer.addBos && tokenizer.bosId !== null ? [tokenizer.bosId] : [];
  const end = !continuous && tokenizer.eosId !== null ? [tokenizer.eosId] : [];
  return (row, at) => {
    if (row.kind === 'text') {
      const text = tokenizer.encode(row.text);
      // A text may already contain its start or end token; neither is written twice.
      const head = text[0] === start[0] ? [] : start;
      const tail = text.at(-1) === end[0] ? [] : end;
      // An empty text is not a document, although its end token could be predicted.
      const ids = text.length ? Uint32Array.from(head.concat(text, tail)) : new Uint32Array(0);
      return [{ ids, target: new Uint8Array(ids.length).fill(1, Math.min(1, ids.length)) }];
    }
    try {
      if (row.pair && !chat.ownTemplate) return chat.encodePair(row.messages[0].content, row.messages[1].content, mask);
      return chat.encode(row.messages, mask, row.context);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'DATASET_PARSE') throw error;
      return { row: at, reason: error.detail.replace(/\.$/, '') };
    }
  };
}

/** Samples of a part of a document: windows of T + 1 tokens, T apart. Windows without a target are left out. */
export function cutDocument({ ids, target }: Encoded, seqLen: number): Sample[] {
  const samples: Sample[] = [];
  for (let at = 0; at + 1 < ids.length; at += seqLen) {
    const window = { ids: ids.slice(at, at + seqLen + 1), target: target.slice(at, at + seqLen + 1) };
    window.target[0] = 0;
    if (window.target.includes(1)) samples.push(window);
  }
  return samples;
}

export function noTargets(name: string, mask: Mask): AppError {
  const remedy = mask === 'assistant' ? 'Add rows with assistant turns, raise the row length, or train on all tokens.' : 'Use longer rows.';
  return new AppError('NO_TARGETS', `No token of ${name} counts toward the loss.`, remedy);
}
