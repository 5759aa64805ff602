// The text of every token of a sample, such that the texts joined are the sample decoded. A character whose bytes are
// spread over tokens belongs to the last of them, as the loss masks have it.

import type { Tokenizer } from './tokenizer';
import { utf8Units } from './token-bytes';

export function tokenTexts(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const whole = tokenizer.decode(ids);
  const ends = tokenizer.tokenEnds(whole, ids);
  return ends ? textsByBytes(whole, ends) : textsByPrefix(tokenizer, ids, whole);
}

function textsByBytes(whole: string, ends: Uint32Array): string[] {
  const units = utf8Units(whole);
  let from = 0;
  return Array.from(ends, (end) => {
    const text = whole.slice(from, units[end]);
    from = units[end];
    return text;
  });
}

/**
 * For tokens that don't spell the text (a piece of a character at an edge, an unknown word): a token's text is by how
 * much the decoded prefix grows with it. What a later token changes again is its own.
 */
function textsByPrefix(tokenizer: Tokenizer, ids: readonly number[], whole: string): string[] {
  let from = 0;
  return ids.map((_, i) => {
    const prefix = i === ids.length - 1 ? whole : tokenizer.decode(ids.slice(0, i + 1));
    let end = from;
    while (end < prefix.length && prefix[end] === whole[end]) end++;
    // An unfinished character is decoded as U+FFFD, and may really be one: it waits for the next token.
    if (i < ids.length - 1) while (end > from && prefix[end - 1] === '\ufffd') end--;
    const text = whole.slice(from, end);
    from = end;
    return text;
  });
}
