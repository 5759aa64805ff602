// Where a long text may be cut so that its parts, tokenized one by one, give the tokens of the whole.
//
// A pre-tokenizer reads from left to right and looks back at nothing; the known ones end a piece between a letter or digit and the
// white space after it, whatever comes later, and byte-pair merges never cross a piece. So a text may be cut there: before a
// line break, else before a space. What a tokenizer puts before every text (SentencePiece's ▁) is taken off again. That a
// tokenizer keeps to this is tried on texts made for it; one that does not is cut at blank lines, and that is told.

import { randomStream } from '../../base/random';
import type { Tokenizer } from './tokenizer';

type Encode = (text: string) => number[];

export interface TextCutter {
  /** Tokens of the parts are those of the whole. */
  readonly exact: boolean;
  /** The tokens of a part that is not the first. */
  readonly encodeRest: Encode;
  /** Where to cut a text, at most at `most`; null if there is no such place. */
  cut(text: string, most: number): number | null;
}

const LINES = /[\p{L}\p{N}](?=\n)/gu;
const SPACES = /[\p{L}\p{N}](?=[\n ])/gu;
const TRIALS = 300;

/** The last match of a pattern that ends at or before `most`. */
function lastCut(text: string, most: number, pattern: RegExp): number | null {
  // The search starts near the end.
  for (let from = Math.max(0, most - 4096); ; from = Math.max(0, from - 65_536)) {
    let last: number | null = null;
    pattern.lastIndex = from;
    for (let found = pattern.exec(text); found && found.index + found[0].length <= most; found = pattern.exec(text)) {
      last = found.index + found[0].length;
    }
    if (last !== null || from === 0) return last;
  }
}

export function textCutter(tokenizer: Tokenizer): TextCutter {
  const encode: Encode = (text) => tokenizer.encode(text);
  // What the tokenizer puts before any text: the first token of a lone line break, if a longer text does not keep it.
  const prefix = encode('\n').length > encode('a\n').length - encode('a').length ? encode('\n')[0] : null;
  const bare: Encode = (text) => {
    const ids = encode(text);
    return prefix !== null && ids[0] === prefix ? ids.slice(1) : ids;
  };
  for (const pattern of [SPACES, LINES]) {
    if (holds(encode, bare, pattern))
      return {
        exact: true,
        encodeRest: bare,
        cut: (text, most) => lastCut(text, most, LINES) ?? (pattern === SPACES ? lastCut(text, most, SPACES) : null),
      };
  }
  return { exact: false, encodeRest: bare, cut: (text, most) => lastCut(text, most, /\n(?=\n)/g) ?? lastCut(text, most, /(?=\n)/g) };
}

const PIECES = [
  'a',
  'word',
  'The',
  "isn't",
  'x1',
  '12',
  '3.14',
  '.',
  '!',
  '?"',
  ')',
  ',',
  '-',
  '\n',
  '\n\n',
  ' ',
  '  ',
  '\t',
  '\r\n',
  'é',
  'e\u0301',
  '你好',
  '🙂',
  'S',
  "'s",
  '\u0301',
  '_',
  '\u3000',
];

function holds(encode: Encode, rest: Encode, pattern: RegExp): boolean {
  const draw = randomStream(1, 'text cuts');
  for (let trial = 0; trial < TRIALS; trial++) {
    const text = Array.from({ length: 4 + draw.nextBelow(24) }, () => PIECES[draw.nextBelow(PIECES.length)]).join('');
    const at = lastCut(text, 1 + draw.nextBelow(text.length), pattern);
    if (at === null) continue;
    const parts = [...encode(text.slice(0, at)), ...rest(text.slice(at))];
    const whole = encode(text);
    if (parts.length !== whole.length || parts.some((id, i) => id !== whole[i])) return false;
  }
  return true;
}
