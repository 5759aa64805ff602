// Strings that tokenizers disagree about, from a seed: scripts, marks, joiners, controls, long runs, special tokens in the
// text, lone surrogates, and mixtures of all of them.

import { randomStream, type RandomStream } from '../../src/base/random';

type Part = (draw: RandomStream) => string;

const pick = <T>(draw: RandomStream, from: readonly T[]): T => from[draw.nextBelow(from.length)];
const times = (draw: RandomStream, most: number, part: () => string): string =>
  Array.from({ length: 1 + draw.nextBelow(most) }, part).join('');
const between = (draw: RandomStream, first: number, last: number): string => String.fromCodePoint(first + draw.nextBelow(last - first + 1));

const WORDS =
  "The quick brown fox isn't over WE'LL they'Re don’t 3.14 2024-07-26 1,000,000 e-mail@example.org http://a.b/c?d=e f(x) := x**2; naïve Straße ÅNGSTRÖM ǅ ﬁn".split(
    ' ',
  );
const SPACES = [
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '\u000b',
  '\u000c',
  '\u0085',
  '\u00a0',
  '\u1680',
  '\u2003',
  '\u2028',
  '\u2029',
  '\u202f',
  '\u3000',
];
const INVISIBLE = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u180e', '\u061c'];
const EMOJI = ['👨‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '❤️', '🇩🇪🇫🇷', '1️⃣', '🫠', '🧑🏿‍💻', '😀', '✈︎'];
const COMPOSED = [
  'é',
  'e\u0301',
  'Å',
  'A\u030a',
  '\u212b',
  'ﬃ',
  '\u1e9b\u0323',
  '각',
  '\u1100\u1161\u11a8',
  '\u0344',
  '\u0958',
  'q\u0307\u0323',
];
const SCRIPTS: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fff], // CJK
  [0x3040, 0x30ff], // kana
  [0xac00, 0xd7a3], // Hangul
  [0x0590, 0x05ff], // Hebrew
  [0x0600, 0x06ff], // Arabic
  [0x0900, 0x097f], // Devanagari
  [0x0e00, 0x0e7f], // Thai
  [0x0400, 0x04ff], // Cyrillic
  [0x0370, 0x03ff], // Greek
  [0x20000, 0x2a6df], // CJK outside the BMP
  [0x1d400, 0x1d7ff], // mathematical letters and digits
  [0x2150, 0x218f], // numbers that are not digits
  [0x0660, 0x0669], // Arabic digits
  [0x2460, 0x24ff], // enclosed numbers
  [0x1f300, 0x1f64f], // emoji
  [0xe000, 0xe0ff], // private use
  [0x0000, 0x001f], // controls
  [0x007f, 0x009f],
  [0x0020, 0x007e], // ASCII
  [0x00a0, 0x024f], // Latin
  [0x2000, 0x206f], // punctuation, directions
];

const word: Part = (draw) => pick(draw, WORDS);
const space: Part = (draw) => pick(draw, SPACES);
const script: Part = (draw) => {
  const [first, last] = pick(draw, SCRIPTS);
  return times(draw, 12, () => between(draw, first, last));
};
const run: Part = (draw) =>
  pick(draw, [' ', '\n', '\t', ' \n', 'a', '1', '.', '!', '\r\n', '_', '▁', '\u00a0']).repeat(1 + draw.nextBelow(300));
const marks: Part = (draw) => pick(draw, ['a', 'o', 'ñ', 'क', ' ', '\n']) + times(draw, 5, () => between(draw, 0x300, 0x36f));
const surrogate: Part = (draw) => pick(draw, ['\ud83d', '\ude00', '\udc00\ud800', 'a\ud800b', '\udfff ']);
const anywhere: Part = (draw) => {
  for (;;) {
    const code = draw.nextBelow(0x110000);
    // The properties of unassigned code points depend on the Unicode version.
    if (/^[\p{Assigned}]$/u.test(String.fromCodePoint(code))) return String.fromCodePoint(code);
  }
};

/** `specials`: the tokenizer's added tokens, whole and cut. */
export function fuzzedStrings(seed: number, count: number, specials: readonly string[]): string[] {
  const special: Part = (draw) => {
    const token = specials.length > 0 ? pick(draw, specials) : '<s>';
    return draw.nextBelow(4) === 0 ? token.slice(0, 1 + draw.nextBelow(token.length)) : token;
  };
  const parts: readonly Part[] = [
    word,
    word,
    (draw) => word(draw) + ' ',
    space,
    space,
    script,
    script,
    run,
    marks,
    (draw) => pick(draw, EMOJI),
    (draw) => pick(draw, COMPOSED),
    (draw) => pick(draw, INVISIBLE),
    special,
    surrogate,
    anywhere,
  ];
  return Array.from({ length: count }, (_, i) => {
    const draw = randomStream(seed, 'tokenizer string', i);
    // A third of the strings are of one kind, to show a fault in isolation.
    const kinds = draw.nextBelow(3) === 0 ? [pick(draw, parts)] : parts;
    return times(draw, 14, () => pick(draw, kinds)(draw));
  });
}
