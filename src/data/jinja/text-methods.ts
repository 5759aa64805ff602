// The methods of Python's str. Places and lengths count characters.

import { bind, text, wholeNumber, type Method } from './arguments';
import { TemplateError } from './template-error';
import { iterate, textLength, Tuple, typeName, type Kwargs, type Value } from './values';

/** What Python's str.isspace accepts; JavaScript's \s lacks the separators 1c to 1f and 85, and has the byte order mark. */
const WHITE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const ALL_SPACE = new RegExp(`^[${WHITE}]+$`);
const SPACE_RUN = new RegExp(`[${WHITE}]+`, 'g');
const LEADING = new RegExp(`^[${WHITE}]+`);
const TRAILING = new RegExp(`[${WHITE}]+$`);
// eslint-disable-next-line no-control-regex
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;

const escaped = (characters: string): string =>
  [...characters].map((character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).join('');

/** Takes characters away at the ends: white space, or those that are given. */
export function strip(self: string, characters: Value | undefined, ends: 'both' | 'left' | 'right'): string {
  let [left, right] = [LEADING, TRAILING];
  if (characters !== undefined && characters !== null) {
    const set = text(characters, 'strip');
    if (set === '') return self;
    [left, right] = [new RegExp(`^[${escaped(set)}]+`, 'u'), new RegExp(`[${escaped(set)}]+$`, 'u')];
  }
  const from = ends === 'right' ? 0 : (left.exec(self)?.[0].length ?? 0);
  const rest = self.slice(from);
  return ends === 'left' ? rest : stripEnd(rest, right);
}

/** By a search from the end: a regular expression that ends in $ looks at every run of the text. */
function stripEnd(self: string, pattern: RegExp): string {
  const one = new RegExp(pattern.source.replace(/\+\$$/, '$'), pattern.flags);
  const characters = [...self.slice(-4096)];
  let end = self.length;
  for (let character = characters.pop(); character !== undefined && one.test(character); character = characters.pop())
    end -= character.length;
  const rest = self.slice(0, end);
  return characters.length === 0 && end < self.length && end > 0 ? stripEnd(rest, pattern) : rest;
}

export function splitLines(self: string, keep = false): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const found of self.matchAll(LINE_END)) {
    lines.push(self.slice(at, found.index + (keep ? found[0].length : 0)));
    at = found.index + found[0].length;
  }
  if (at < self.length) lines.push(self.slice(at));
  return lines;
}

function split(self: string, separator: Value | undefined, most: number): string[] {
  if (separator === undefined || separator === null) {
    const parts: string[] = [];
    let rest = self.replace(LEADING, '');
    while (rest !== '') {
      if (most >= 0 && parts.length === most) {
        parts.push(rest);
        break;
      }
      SPACE_RUN.lastIndex = 0;
      if (most < 0) {
        parts.push(...strip(rest, undefined, 'right').split(SPACE_RUN));
        break;
      }
      const found = SPACE_RUN.exec(rest);
      parts.push(found ? rest.slice(0, found.index) : rest);
      rest = found ? rest.slice(found.index + found[0].length) : '';
    }
    return parts;
  }
  const by = text(separator, 'split');
  if (by === '') throw new TemplateError('empty separator');
  const parts = self.split(by);
  return most < 0 || parts.length <= most + 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(by)];
}

function splitRight(self: string, separator: Value | undefined, most: number): string[] {
  if (separator === undefined || separator === null) {
    const words = split(self, undefined, -1);
    if (most < 0 || words.length <= most + 1) return words;
    let rest = strip(self, undefined, 'right');
    const parts: string[] = [];
    for (let i = 0; i < most; i++) {
      const word = words[words.length - 1 - i];
      parts.unshift(word);
      rest = strip(rest.slice(0, rest.length - word.length), undefined, 'right');
    }
    return [rest, ...parts];
  }
  const parts = split(self, separator, -1);
  const by = text(separator, 'rsplit');
  return most < 0 || parts.length <= most + 1 ? parts : [parts.slice(0, parts.length - most).join(by), ...parts.slice(parts.length - most)];
}

/** The part of the text that start and end name, and how many characters come before it; null if start lies behind the text. */
function range(self: string, start: Value | undefined, end: Value | undefined): { readonly part: string; readonly before: number } | null {
  const whole = (value: Value | undefined, fallback: number): number => wholeNumber(value ?? undefined, fallback, 'a place');
  if ((start === undefined || start === null) && (end === undefined || end === null)) return { part: self, before: 0 };
  const characters = [...self];
  const clip = (at: number): number => Math.max(0, Math.min(characters.length, at < 0 ? at + characters.length : at));
  const from = whole(start, 0);
  if (from > characters.length) return null;
  const [a, b] = [clip(from), clip(whole(end, characters.length))];
  return a > b ? null : { part: characters.slice(a, b).join(''), before: a };
}

function find(self: string, args: readonly Value[], last: boolean): number {
  const wanted = text(args[0], 'find');
  const within = range(self, args[1], args[2]);
  if (!within) return -1;
  const at = last ? within.part.lastIndexOf(wanted) : within.part.indexOf(wanted);
  return at < 0 ? -1 : within.before + textLength(within.part.slice(0, at));
}

function indexOf(self: string, args: readonly Value[], last: boolean): number {
  const at = find(self, args, last);
  if (at < 0) throw new TemplateError('substring not found');
  return at;
}

function hasEnd(self: string, args: readonly Value[], name: 'startsWith' | 'endsWith'): boolean {
  const [wanted] = args;
  const all = wanted instanceof Tuple ? wanted.items : [wanted];
  const within = range(self, args[1], args[2]);
  return all.some((one) => {
    if (typeof one !== 'string')
      throw new TemplateError(`${name.toLowerCase()} first arg must be str or a tuple of str, not ${typeName(one)}`);
    return within?.[`part`][name](one) ?? false;
  });
}

function partition(self: string, separator: Value | undefined, last: boolean): Tuple {
  const by = text(separator, 'partition');
  if (by === '') throw new TemplateError('empty separator');
  const at = last ? self.lastIndexOf(by) : self.indexOf(by);
  if (at < 0) return new Tuple(last ? ['', '', self] : [self, '', '']);
  return new Tuple([self.slice(0, at), by, self.slice(at + by.length)]);
}

export function replace(self: string, from: string, to: string, count: number): string {
  if (count < 0 && from !== '') return self.replaceAll(from, () => to);
  if (count < 0) return replace(self, from, to, Infinity);
  const pieces = from === '' ? ['', ...self] : self.split(from);
  let out = pieces[0];
  for (let i = 1; i < pieces.length; i++) out += (i <= count ? to : from) + pieces[i];
  return from === '' && pieces.length <= count ? out + to : out;
}

/** First letter of every word as a title, the others small; a word is a run of letters with case. */
const titled = (self: string): string => self.replace(/[\p{Lowercase}\p{Uppercase}\p{Lt}]+/gu, capitalized);

export function capitalized(self: string): string {
  const [first = '', ...rest] = self;
  return titleCase(first) + lower(rest.join(''));
}

/** Letters such as ǆ have a form of their own at the start of a title. */
const TITLE: Readonly<Record<string, string>> = { ǆ: 'ǅ', ǉ: 'ǈ', ǌ: 'ǋ', ǳ: 'ǲ', ß: 'Ss', ﬁ: 'Fi', ﬂ: 'Fl', ﬀ: 'Ff' };
const titleCase = (letter: string): string => (Object.hasOwn(TITLE, letter) ? TITLE[letter] : letter.toUpperCase());
const lower = (self: string): string => self.toLowerCase();

const all = (self: string, pattern: RegExp): boolean => self !== '' && pattern.test(self);
const cased = (self: string): boolean => /[\p{Lu}\p{Ll}\p{Lt}]/u.test(self);

function padded(self: string, args: readonly Value[], side: 'start' | 'end'): string {
  const width = wholeNumber(args[0], 0, 'a width');
  const fill = text(args[1], 'the fill character', ' ');
  if (textLength(fill) !== 1) throw new TemplateError('The fill character must be exactly one character long');
  const missing = fill.repeat(Math.max(0, width - textLength(self)));
  return side === 'start' ? missing + self : self + missing;
}

export function centered(self: string, width: number, fill = ' '): string {
  const missing = Math.max(0, width - textLength(self));
  const left = Math.floor(missing / 2) + ((missing % 2) & (width % 2));
  return fill.repeat(left) + self + fill.repeat(missing - left);
}

const NUMERIC = /^\p{N}+$/u;

export const TEXT_METHODS: Readonly<Record<string, Method<string>>> = {
  capitalize: (self) => capitalized(self),
  casefold: (self) => lower(self.toUpperCase()).replaceAll('ς', 'σ'),
  center(self, args, _kwargs, budget) {
    const width = wholeNumber(args[0], 0, 'center');
    budget.grow(Math.max(0, width));
    return centered(self, width, text(args[1], 'center', ' '));
  },
  count(self, args) {
    const wanted = text(args[0], 'count');
    const within = range(self, args[1], args[2]);
    if (!within) return 0;
    return wanted === '' ? textLength(within.part) + 1 : within.part.split(wanted).length - 1;
  },
  endswith: (self, args) => hasEnd(self, args, 'endsWith'),
  expandtabs(self, args, kwargs) {
    const [size] = bind('expandtabs', ['tabsize'], args, kwargs);
    const width = wholeNumber(size, 8, 'expandtabs');
    let column = 0;
    return [...self].reduce((out, character) => {
      if (character === '\t') {
        const spaces = width > 0 ? width - (column % width) : 0;
        column += spaces;
        return out + ' '.repeat(spaces);
      }
      column = character === '\n' || character === '\r' ? 0 : column + 1;
      return out + character;
    }, '');
  },
  find: (self, args) => find(self, args, false),
  index: (self, args) => indexOf(self, args, false),
  isalnum: (self) => all(self, /^[\p{L}\p{N}]+$/u),
  isalpha: (self) => all(self, /^\p{L}+$/u),
  isascii: (self) => /^[\0-\x7f]*$/.test(self),
  isdecimal: (self) => all(self, /^\p{Nd}+$/u),
  isdigit: (self) => all(self, /^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐]+$/u),
  isidentifier: (self) => /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(self),
  islower: (self) => cased(self) && !/[\p{Lu}\p{Lt}]/u.test(self),
  isnumeric: (self) => all(self, NUMERIC),
  isprintable: (self) => !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(self),
  isspace: (self) => ALL_SPACE.test(self),
  istitle: (self) => cased(self) && titled(self) === self,
  isupper: (self) => cased(self) && !/[\p{Ll}\p{Lt}]/u.test(self),
  join(self, args, kwargs, budget) {
    bind('join', ['iterable'], args, kwargs);
    const items = iterate(args[0]);
    const wrong = items.findIndex((item) => typeof item !== 'string');
    if (wrong >= 0) throw new TemplateError(`sequence item ${wrong}: expected str instance, ${typeName(items[wrong])} found`);
    const out = (items as readonly string[]).join(self);
    budget.grow(out.length);
    return out;
  },
  ljust(self, args, _kwargs, budget) {
    budget.grow(Math.max(0, wholeNumber(args[0], 0, 'ljust')));
    return padded(self, args, 'end');
  },
  lower: (self) => lower(self),
  lstrip: (self, args) => strip(self, args[0], 'left'),
  partition: (self, args) => partition(self, args[0], false),
  removeprefix: (self, args) => (self.startsWith(text(args[0], 'removeprefix')) ? self.slice(text(args[0], '').length) : self),
  removesuffix(self, args) {
    const end = text(args[0], 'removesuffix');
    return end !== '' && self.endsWith(end) ? self.slice(0, -end.length) : self;
  },
  replace(self, args, kwargs, budget) {
    if (kwargs.size > 0) throw new TemplateError('str.replace() takes no keyword arguments');
    const [from, to, count] = bind('replace', ['old', 'new', 'count'], args, kwargs);
    const [a, b] = [text(from, 'replace'), text(to, 'replace')];
    if (b.length > a.length) budget.grow((self.split(a).length - 1) * b.length);
    return replace(self, a, b, wholeNumber(count, -1, 'replace'));
  },
  rfind: (self, args) => find(self, args, true),
  rindex: (self, args) => indexOf(self, args, true),
  rjust(self, args, _kwargs, budget) {
    budget.grow(Math.max(0, wholeNumber(args[0], 0, 'rjust')));
    return padded(self, args, 'start');
  },
  rpartition: (self, args) => partition(self, args[0], true),
  rsplit(self, args, kwargs, budget) {
    const [by, most] = bind('rsplit', ['sep', 'maxsplit'], args, kwargs);
    budget.grow(self.length);
    return splitRight(self, by, wholeNumber(most, -1, 'rsplit'));
  },
  rstrip: (self, args) => strip(self, args[0], 'right'),
  split(self, args, kwargs, budget) {
    const [by, most] = bind('split', ['sep', 'maxsplit'], args, kwargs);
    budget.grow(self.length);
    return split(self, by, wholeNumber(most, -1, 'split'));
  },
  splitlines(self, args: readonly Value[], kwargs: Kwargs) {
    const [keep = false] = bind('splitlines', ['keepends'], args, kwargs);
    return splitLines(self, keep === true || (typeof keep === 'number' && keep !== 0));
  },
  startswith: (self, args) => hasEnd(self, args, 'startsWith'),
  strip: (self, args) => strip(self, args[0], 'both'),
  swapcase: (self) => [...self].map((c) => (c === c.toUpperCase() ? lower(c) : c.toUpperCase())).join(''),
  title: (self) => titled(self),
  upper: (self) => self.toUpperCase(),
  zfill(self, args, _kwargs, budget) {
    const width = wholeNumber(args[0], 0, 'zfill');
    budget.grow(Math.max(0, width));
    const sign = /^[-+]/.exec(self)?.[0] ?? '';
    return sign + '0'.repeat(Math.max(0, width - textLength(self))) + self.slice(sign.length);
  },
};
