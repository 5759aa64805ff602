// Cuts a template into text and tags, with the white space rules of transformers' environment: trim_blocks (the line end after a
// block goes), lstrip_blocks (so does the indentation before it), and one line end at the very end is dropped.

import { TemplateError } from './template-error';

export type TokenType =
  'text' | 'variable_begin' | 'variable_end' | 'block_begin' | 'block_end' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'end';

export interface Token {
  readonly type: TokenType;
  readonly value: string;
  readonly line: number;
}

const BLOCK_END = /(?:\+%\}|-%\}\s*|%\}\n?)/y;
const VARIABLE_END = /(?:-\}\}\s*|\}\})/y;
const COMMENT_END = /(?:\+#\}|-#\}\s*|#\}\n?)/g;
const RAW_BEGIN = /\{%([-+]?)\s*raw\s*(?:-%\}\s*|%\})/y;
const RAW_END = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g;
const SPACE = /\s+/y;
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const STRING = /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"/y;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y;

/** What follows `from` up to the next tag: where it starts, its kind and its sign. */
function nextTag(source: string, from: number): { readonly at: number; readonly kind: string } | null {
  for (let at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
    const kind = source[at + 1];
    if (kind === '%' || kind === '{' || kind === '#') return { at, kind };
  }
  return null;
}

export function tokenize(template: string): Token[] {
  let source = template.replace(/\r\n?/g, '\n');
  if (source.endsWith('\n')) source = source.slice(0, -1);
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStarting = true;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  const advance = (length: number): void => {
    for (let i = source.indexOf('\n', at); i >= 0 && i < at + length; i = source.indexOf('\n', i + 1)) line++;
    at += length;
  };
  const add = (type: TokenType, value = ''): void => void tokens.push({ type, value, line });
  const fail = (reason: string): TemplateError => new TemplateError(`line ${line} of the template: ${reason}`);

  /** Text before a tag, less what the tag takes away. */
  const text = (end: number, sign: string, isVariable: boolean): void => {
    let piece = source.slice(at, end);
    if (sign === '-') piece = piece.trimEnd();
    else if (sign !== '+' && !isVariable) {
      const start = piece.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStarting) && /^\s*$/.test(piece.slice(start))) piece = piece.slice(0, start);
    }
    if (piece !== '') add('text', piece);
    advance(end - at);
  };

  while (at < source.length) {
    const tag = nextTag(source, at);
    if (!tag) {
      text(source.length, '+', true);
      break;
    }
    const sign = /[-+]/.test(source[tag.at + 2] ?? '') ? source[tag.at + 2] : '';
    if (tag.kind === '#') {
      text(tag.at, sign, false);
      COMMENT_END.lastIndex = at + 2;
      const end = COMMENT_END.exec(source);
      if (!end) throw fail('a comment is not closed');
      advance(end.index + end[0].length - at);
      lineStarting = end[0].endsWith('\n');
      continue;
    }
    RAW_BEGIN.lastIndex = tag.at;
    const raw = tag.kind === '%' ? RAW_BEGIN.exec(source) : null;
    if (raw) {
      text(tag.at, raw[1], false);
      advance(raw[0].length);
      lineStarting = raw[0].endsWith('\n');
      RAW_END.lastIndex = at;
      const end = RAW_END.exec(source);
      if (!end) throw fail('raw is not closed');
      text(end.index, end[1], false);
      advance(end[0].length);
      lineStarting = end[0].endsWith('\n');
      continue;
    }
    const isVariable = tag.kind === '{';
    // Only "-" belongs to a variable's opening; "+" there is an operator.
    text(tag.at, isVariable && sign === '+' ? '' : sign, isVariable);
    add(isVariable ? 'variable_begin' : 'block_begin');
    advance(2 + (sign === '-' || (sign === '+' && !isVariable) ? 1 : 0));
    const brackets: string[] = [];
    for (;;) {
      const close = brackets.length === 0 ? match(isVariable ? VARIABLE_END : BLOCK_END) : null;
      if (close) {
        add(isVariable ? 'variable_end' : 'block_end');
        advance(close[0].length);
        lineStarting = close[0].endsWith('\n');
        break;
      }
      if (at >= source.length) throw fail('a tag is not closed');
      const space = match(SPACE);
      if (space) {
        advance(space[0].length);
        continue;
      }
      const token = tokenAt(match, source[at - 1] === '.');
      if (!token) throw fail(`unexpected character '${String.fromCodePoint(source.codePointAt(at)!)}'`);
      const [type, found] = token;
      if (type === 'operator') {
        if ('([{'.includes(found)) brackets.push(found);
        else if (')]}'.includes(found) && '([{'.indexOf(brackets.pop() ?? '') !== ')]}'.indexOf(found)) throw fail(`unexpected '${found}'`);
      }
      add(type, type === 'string' ? unescape(found.slice(1, -1), fail) : found);
      advance(found.length);
    }
  }
  add('end');
  return tokens;
}

function tokenAt(match: (pattern: RegExp) => RegExpExecArray | null, afterDot: boolean): readonly [TokenType, string] | null {
  const patterns: readonly (readonly [TokenType, RegExp])[] = [
    ...(afterDot ? [] : [['float', FLOAT] as const]),
    ['integer', INTEGER],
    ['name', NAME],
    ['string', STRING],
    ['operator', OPERATOR],
  ];
  for (const [type, pattern] of patterns) {
    const found = match(pattern)?.[0];
    if (found !== undefined) return [type, found];
  }
  return null;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

/** Python's escapes of a text in quotes; an unknown one stays as it is. */
function unescape(text: string, fail: (reason: string) => TemplateError): string {
  return text.replace(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g,
    (whole, octal?: string, x?: string, u?: string, U?: string, one?: string) => {
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      const code = x ?? u ?? U;
      if (code !== undefined) {
        const point = parseInt(code, 16);
        if (point > 0x10ffff) throw fail('an escape names no character');
        return String.fromCodePoint(point);
      }
      if ('xuUN'.includes(one!)) throw fail(`the escape \\${one} is cut off or not supported`);
      return Object.hasOwn(ESCAPES, one!) ? ESCAPES[one!] : whole;
    },
  );
}
