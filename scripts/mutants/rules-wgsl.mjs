// @ts-check
// Where a fault can be planted in a WGSL file, and which, found by its tokens: comments, attributes and the arguments
// of types (`array<f32, 64>`) are left out.

import { neighbour } from './rules-ts.mjs';

/** @typedef {import('./rules-ts.mjs').Site} Site */
/** @typedef {{ text: string, start: number, end: number }} Token */

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?:0[xX][0-9a-fA-F]+|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)[iufh]?|[A-Za-z_]\w*|->|<<=|>>=|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||\+\+|--|\S/g;

/** @type {Partial<Record<string, { rule: string, to: string }>>} */
const OPERATORS = {
  '<': { rule: 'bound', to: '<=' },
  '<=': { rule: 'bound', to: '<' },
  '>': { rule: 'bound', to: '>=' },
  '>=': { rule: 'bound', to: '>' },
  '==': { rule: 'equality', to: '!=' },
  '!=': { rule: 'equality', to: '==' },
  '+': { rule: 'arithmetic', to: '-' },
  '-': { rule: 'arithmetic', to: '+' },
  '*': { rule: 'arithmetic', to: '/' },
  '/': { rule: 'arithmetic', to: '*' },
  '%': { rule: 'arithmetic', to: '/' },
  '&': { rule: 'arithmetic', to: '|' },
  '|': { rule: 'arithmetic', to: '&' },
  '<<': { rule: 'arithmetic', to: '>>' },
  '>>': { rule: 'arithmetic', to: '<<' },
  '+=': { rule: 'assignment', to: '-=' },
  '-=': { rule: 'assignment', to: '+=' },
  '*=': { rule: 'assignment', to: '/=' },
  '&&': { rule: 'logic', to: '||' },
  '||': { rule: 'logic', to: '&&' },
};

/** Types that take arguments between < and >. */
const TEMPLATES = /^(array|atomic|bitcast|ptr|var|vec[234]|mat[234]x[234])$/;
/** Calls whose result does not depend on the order of the first two arguments; those of types are constructors. */
const COMMUTATIVE = /^(min|max|dot|distance|vec[234]\w?|mat\dx\d\w?|array|if|for|while|switch|return|fn)$/;
const WORD = /^[A-Za-z_]/;

/** Tokens that are code of a function: without comments, attributes, types' arguments, and anything outside braces. */
function codeTokens(/** @type {string} */ text) {
  const all = [...text.matchAll(TOKEN)]
    .map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }))
    .filter(({ text: token }) => !token.startsWith('//') && !token.startsWith('/*'));
  /** @type {Token[]} */
  const code = [];
  for (let i = 0; i < all.length; i++) {
    const token = /** @type {Token} */ (all[i]);
    if (token.text === '@') i = skipAttribute(all, i);
    else if (token.text === '<' && TEMPLATES.test(all[i - 1]?.text ?? '')) i = skipTemplate(all, i);
    else code.push(token);
  }
  return code;
}

/** The last token of `@name` or `@name(…)`. */
function skipAttribute(/** @type {readonly Token[]} */ tokens, /** @type {number} */ at) {
  return tokens[at + 2]?.text === '(' ? closing(tokens, at + 2) : at + 1;
}

function skipTemplate(/** @type {readonly Token[]} */ tokens, /** @type {number} */ at) {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    const text = tokens[i]?.text;
    depth += text === '<' ? 1 : text === '>' ? -1 : text === '>>' ? -2 : 0;
    if (depth <= 0) return i;
  }
  return tokens.length;
}

const CLOSES = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);

/** The index of the bracket that closes the one at `open`. */
function closing(/** @type {readonly Token[]} */ tokens, /** @type {number} */ open) {
  const [opens, closes] = [tokens[open]?.text ?? '', CLOSES.get(tokens[open]?.text ?? '')];
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]?.text === opens) depth++;
    if (tokens[i]?.text === closes && --depth === 0) return i;
  }
  return tokens.length;
}

/** @returns {Site[]} in the order of the file */
export function wgslSites(/** @type {string} */ text) {
  const tokens = codeTokens(text);
  /** @type {Site[]} */
  const sites = [];
  const add = (/** @type {string} */ rule, /** @type {Token} */ { start, end }, /** @type {string} */ replacement) =>
    sites.push({ rule, start, end, replacement });

  tokens.forEach((token, i) => {
    const [before, next] = [tokens[i - 1], tokens[i + 1]];
    if (before === undefined || next === undefined) return;
    const operator = OPERATORS[token.text];
    // With an operand on the left: a minus before a number and the star and ampersand of pointers are something else.
    if (operator && (/^[\w)\]]/.test(before.text) || !/^[-*&+]$/.test(token.text)) && before.text !== 'return')
      add(operator.rule, token, operator.to);
    if (/^\d+[iu]?$/.test(token.text))
      add('constant', token, neighbour(token.text.replace(/[iu]$/, '')) + (/[iu]$/.exec(token.text)?.[0] ?? ''));
    if (token.text === '[' && WORD.test(before.text)) index(i);
    if (token.text === '(' && before.text === 'if') {
      const end = tokens[closing(tokens, i)]?.start ?? token.end;
      sites.push({ rule: 'negation', start: token.end, end, replacement: `!(${text.slice(token.end, end)})` });
    }
    if (/^(min|max)$/.test(token.text) && next.text === '(') add('min and max', token, token.text === 'min' ? 'max' : 'min');
    const [first, comma, second, after] = tokens.slice(i + 1, i + 5);
    const isCall = token.text === '(' && WORD.test(before.text) && !COMMUTATIVE.test(before.text) && tokens[i - 2]?.text !== 'fn';
    if (
      isCall &&
      first &&
      comma?.text === ',' &&
      second &&
      /^[,)]$/.test(after?.text ?? '') &&
      WORD.test(first.text) &&
      WORD.test(second.text)
    )
      if (first.text !== second.text)
        sites.push({
          rule: 'arguments',
          start: first.start,
          end: second.end,
          replacement: second.text + text.slice(first.end, second.start) + first.text,
        });
  });

  /** An index that is more than a number becomes one larger. */
  function index(/** @type {number} */ open) {
    const [start, end] = [tokens[open]?.end ?? 0, tokens[closing(tokens, open)]?.start ?? 0];
    const inner = text.slice(start, end);
    if (!/^\s*\d+[iu]?\s*$/.test(inner)) sites.push({ rule: 'index', start, end, replacement: `(${inner}) + 1` });
  }
  return sites.sort((a, b) => a.start - b.start);
}
