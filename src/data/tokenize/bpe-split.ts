// SentencePiece-style BPE has no pre-tokeniser: a whole file would be one word, and merging a million characters takes many
// seconds. But a merge joins two neighbours. If no merge ends its left part with the left character and starts its right part
// with the right one, nothing is ever joined there, and cutting there changes no token.

import type { TokenizerJson } from './tokenizer-files';

/** Cuts a text into pieces that merge independently; null if the model is not a BPE to which the argument applies. */
export function independentPieces(json: TokenizerJson): ((text: string) => string[]) | null {
  const { type, merges, ignore_merges, end_of_word_suffix, continuing_subword_suffix } = json.model;
  if (type !== 'BPE' || !Array.isArray(merges) || json.pre_tokenizer || ignore_merges || end_of_word_suffix || continuing_subword_suffix)
    return null;
  const joined = new Set<string>();
  for (const merge of merges as unknown[]) {
    const [left, right] = Array.isArray(merge) ? (merge as unknown[]) : String(merge).split(' ', 2);
    if (typeof left !== 'string' || typeof right !== 'string') return null;
    joined.add(`${[...left].at(-1) ?? ''}${String.fromCodePoint(right.codePointAt(0) ?? 0)}`);
  }
  return (text) => {
    const pieces: string[] = [];
    let start = 0;
    let at = 0;
    let before = '';
    for (const character of text) {
      if (at > 0 && !joined.has(before + character)) {
        pieces.push(text.slice(start, at));
        start = at;
      }
      at += character.length;
      before = character;
    }
    if (start < text.length) pieces.push(text.slice(start));
    return pieces;
  };
}
