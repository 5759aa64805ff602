// Jinja's filters. Those that need a clock, randomness or HTML rules are left out, and are refused by name.

import { bind, text, wholeNumber } from './arguments';
import { attributeOf, itemOf } from './access';
import type { Budget } from './budget';
import { binary } from './operators';
import { percentFormat } from './percent-format';
import { capitalized, centered, replace, splitLines, strip } from './text-methods';
import { toJson } from './json';
import { missing, TemplateError } from './template-error';
import {
  compare,
  equal,
  Float,
  Group,
  int,
  isNumber,
  Iterable,
  iterate,
  lengthOf,
  orElse,
  Range,
  str,
  textLength,
  toNumber,
  truthy,
  Tuple,
  typeName,
  Undefined,
  type Kwargs,
  type Value,
} from './values';

/** What filters need of the rendering that they are a part of. */
export interface Context {
  readonly budget: Budget;
  filter(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): Value;
  test(name: string, value: Value, args: readonly Value[]): boolean;
}

type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs, context: Context) => Value;

const given = (value: Value | undefined): boolean => value !== undefined && value !== null;

/** 'a.b' or 0: where to look in an item; null for the item itself. */
function getter(attribute: Value | undefined, { budget }: Context, fallback?: Value): (item: Value) => Value {
  if (!given(attribute)) return (item) => item;
  const parts =
    typeof attribute === 'string' ? attribute.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)) : [attribute!];
  return (item) => {
    let value = item;
    for (const part of parts) {
      budget.step();
      value = itemOf(value, part);
      if (given(fallback) && value instanceof Undefined) value = fallback!;
    }
    return value;
  };
}

/** Texts compare as small letters unless case counts. */
const keyed =
  (get: (item: Value) => Value, caseSensitive: Value | undefined) =>
  (item: Value): Value => {
    const key = get(item);
    return typeof key === 'string' && !truthy(caseSensitive ?? false) ? key.toLowerCase() : key;
  };

function sorted(items: readonly Value[], key: (item: Value) => Value, reverse: boolean): Value[] {
  const keys = items.map((item, i) => ({ key: key(item), item, i }));
  keys.sort((a, b) => (reverse ? compare(b.key, a.key) || a.i - b.i : compare(a.key, b.key) || a.i - b.i));
  return keys.map(({ item }) => item);
}

const selecting =
  (wanted: boolean, byAttribute: boolean): Filter =>
  (value, args, _kwargs, context) => {
    const get = byAttribute ? getter(args[0] ?? null, context) : (item: Value): Value => item;
    const [name, ...rest] = byAttribute ? args.slice(1) : args;
    const holds = (item: Value): boolean =>
      name === undefined ? truthy(item) : context.test(text(name, 'the name of a test'), item, rest);
    return new Iterable(iterate(value).filter((item) => holds(get(item)) === wanted));
  };

const extreme =
  (sign: 1 | -1): Filter =>
  (value, args, kwargs, context) => {
    const [caseSensitive, attribute] = bind('max', ['case_sensitive', 'attribute'], args, kwargs);
    const key = keyed(getter(attribute, context), caseSensitive);
    const items = iterate(value);
    if (items.length === 0) return new Undefined('the largest of an empty list');
    return items.reduce((best, item) => (sign * compare(key(item), key(best)) > 0 ? item : best));
  };

function toInt(value: Value, fallback: Value, base: number): Value {
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  if (value instanceof Float) return Number.isFinite(value.value) ? int(Math.trunc(value.value)) : fallback;
  if (value instanceof Undefined) value.refuse();
  if (typeof value !== 'string') return fallback;
  const digits = value.trim().replace(/(?<=[\da-z])_(?=[\da-z])/gi, '');
  if (base === 10 && /^[-+]?\d+$/.test(digits)) return int(Number(digits));
  if (base !== 10) {
    const bare = digits.replace(/^([-+]?)0[xob]/i, '$1');
    const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);
    if (new RegExp(`^[-+]?[${alphabet}]+$`, 'i').test(bare)) return int(parseInt(bare, base));
  }
  const number = floatOf(digits);
  return number === null || !Number.isFinite(number) ? fallback : int(Math.trunc(number));
}

function floatOf(value: string): number | null {
  const bare = value.trim();
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(bare)) return Number(bare);
  if (/^[-+]?inf(?:inity)?$/i.test(bare)) return bare.startsWith('-') ? -Infinity : Infinity;
  return /^[-+]?nan$/i.test(bare) ? NaN : null;
}

function round(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const [precision, method = 'common'] = bind('round', ['precision', 'method'], args, kwargs);
  const digits = wholeNumber(precision, 0, 'round');
  if (!isNumber(value)) throw new TemplateError(`type ${typeName(value)} doesn't define __round__ method`);
  const number = toNumber(value);
  if (method === 'ceil' || method === 'floor') {
    const scaled = Math[method](number * 10 ** digits);
    return new Float((scaled + 0) / 10 ** digits);
  }
  if (method !== 'common') throw new TemplateError('method must be common, ceil or floor');
  if (!(value instanceof Float) && digits >= 0) return Number(value);
  const scale = 10 ** Math.max(0, -digits);
  if (digits < 0) {
    const whole = halfEven(number / scale, 0) * scale;
    return value instanceof Float ? new Float(whole) : int(whole);
  }
  return new Float(halfEven(number, Math.min(digits, 60)));
}

/** Ties go to the even digit, as in Python; toFixed sends them up. */
function halfEven(number: number, digits: number): number {
  if (!Number.isFinite(number) || number === 0 || Math.abs(number) >= 1e21) return number;
  const size = Math.abs(number);
  const exact = size.toFixed(Math.min(100, digits + 40));
  const cut = exact.length - Math.min(100, digits + 40) + digits;
  const tail = exact.slice(cut).replace('.', '');
  if (/^50*$/.test(tail)) {
    const kept = exact.slice(0, cut).replace(/\.$/, '');
    const down = Number(kept);
    return Math.sign(number) * (Number(kept.at(-1)) % 2 === 0 ? down : Number((down + 10 ** -digits).toFixed(digits)));
  }
  return Number(number.toFixed(digits));
}

function indent(value: Value, args: readonly Value[], kwargs: Kwargs, { budget }: Context): string {
  const [width = 4, first = false, blank = false] = bind('indent', ['width', 'first', 'blank'], args, kwargs);
  const by = typeof width === 'string' ? width : ' '.repeat(Math.max(0, Math.min(10_000, wholeNumber(width, 4, 'indent'))));
  const lines = splitLines(`${text(value, 'indent')}\n`);
  budget.grow(lines.length * by.length);
  const rest = lines.slice(1).map((line) => (line === '' && !truthy(blank) ? line : by + line));
  return (truthy(first) ? by : '') + [lines[0], ...rest].join('\n');
}

function truncate(value: Value, args: readonly Value[], kwargs: Kwargs): string {
  const [length, kill = false, end, leeway] = bind('truncate', ['length', 'killwords', 'end', 'leeway'], args, kwargs);
  const most = wholeNumber(length, 255, 'truncate');
  const tail = text(end, 'truncate', '...');
  const characters = [...text(value, 'truncate')];
  if (most < textLength(tail)) throw new TemplateError(`expected length >= ${textLength(tail)}, got ${most}`);
  if (characters.length <= most + wholeNumber(leeway ?? undefined, 5, 'truncate')) return characters.join('');
  const kept = characters.slice(0, most - textLength(tail)).join('');
  const space = kept.lastIndexOf(' ');
  return (truthy(kill) || space < 0 ? kept : kept.slice(0, space)) + tail;
}

function groupBy(value: Value, args: readonly Value[], kwargs: Kwargs, context: Context): Value[] {
  const [attribute, fallback, caseSensitive] = bind('groupby', ['attribute', 'default', 'case_sensitive'], args, kwargs);
  const get = getter(attribute, context, fallback);
  const key = keyed(get, caseSensitive);
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sorted(iterate(value), key, false)) {
    const last = groups.at(-1);
    if (last && equal(last.key, key(item))) last.items.push(item);
    else groups.push({ key: key(item), items: [item] });
  }
  return groups.map(({ items }) => new Group([get(items[0]), items]));
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' };
const escaped: Filter = (value) => str(value).replace(/[&<>'"]/g, (c) => HTML[c]);
const length: Filter = (value) => lengthOf(value);
const fallback: Filter = (value, args, kwargs) => {
  const [other = '', boolean = false] = bind('default', ['default_value', 'boolean'], args, kwargs);
  return value instanceof Undefined || (truthy(boolean) && !truthy(value)) ? other : value;
};

export const FILTERS: Readonly<Record<string, Filter>> = {
  abs(value) {
    if (!isNumber(value)) throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
    return value instanceof Float ? new Float(Math.abs(value.value)) : Math.abs(Number(value));
  },
  attr: (value, args) =>
    value instanceof Map && !['get', 'items', 'keys', 'values', 'copy'].includes(str(args[0]))
      ? new Undefined(`attribute ${str(args[0])}`)
      : attributeOf(value, text(args[0], 'attr')),
  batch(value, args, kwargs, { budget }) {
    const [size, fill] = bind('batch', ['linecount', 'fill_with'], args, kwargs);
    const width = wholeNumber(size, 0, 'batch');
    if (width < 1) throw missing('batch with fewer than one item a line');
    const lines: Value[][] = [];
    iterate(value).forEach((item, i) => (i % width === 0 ? lines.push([item]) : lines[lines.length - 1].push(item)));
    if (given(fill) && lines.length > 0) {
      budget.grow(width);
      while (lines[lines.length - 1].length < width) lines[lines.length - 1].push(fill!);
    }
    return new Iterable(lines);
  },
  capitalize: (value) => capitalized(str(value)),
  center(value, args, kwargs, { budget }) {
    const [width] = bind('center', ['width'], args, kwargs);
    budget.grow(Math.max(0, wholeNumber(width, 80, 'center')));
    return centered(str(value), wholeNumber(width, 80, 'center'));
  },
  count: length,
  d: fallback,
  default: fallback,
  dictsort(value, args, kwargs) {
    const [caseSensitive, by = 'key', reverse = false] = bind('dictsort', ['case_sensitive', 'by', 'reverse'], args, kwargs);
    if (!(value instanceof Map)) throw new TemplateError(`'${typeName(value)}' object has no attribute 'items'`);
    if (by !== 'key' && by !== 'value') throw new TemplateError('You can only sort by either "key" or "value"');
    const pairs = [...value].map((pair) => new Tuple(pair));
    return sorted(
      pairs,
      keyed((item) => (item as Tuple).items[by === 'key' ? 0 : 1], caseSensitive),
      truthy(reverse),
    );
  },
  e: escaped,
  escape: escaped,
  forceescape: escaped,
  first: (value) => orElse(iterate(value)[0], () => new Undefined('the first item of an empty list')),
  float(value, args, kwargs) {
    const [other = new Float(0)] = bind('float', ['default'], args, kwargs);
    if (isNumber(value)) return new Float(toNumber(value));
    if (value instanceof Undefined) value.refuse();
    const number = typeof value === 'string' ? floatOf(value) : null;
    return number === null ? other : new Float(number);
  },
  format: (value, args, kwargs, { budget }) => percentFormat(str(value), kwargs.size > 0 ? new Map(kwargs) : new Tuple(args), budget),
  groupby: groupBy,
  indent,
  int(value, args, kwargs) {
    const [other = 0, base] = bind('int', ['default', 'base'], args, kwargs);
    return toInt(value, other, wholeNumber(base, 10, 'int'));
  },
  items(value, args, kwargs) {
    bind('items', [], args, kwargs);
    if (value instanceof Undefined) return new Iterable([]);
    if (!(value instanceof Map)) throw new TemplateError('Can only get item pairs from a mapping.');
    return new Iterable([...value].map((pair) => new Tuple(pair)));
  },
  join(value, args, kwargs, context) {
    const [by = '', attribute] = bind('join', ['d', 'attribute'], args, kwargs);
    const out = iterate(value).map(getter(attribute, context)).map(str).join(str(by));
    context.budget.grow(out.length);
    return out;
  },
  last(value) {
    if (value instanceof Iterable && value.view === null && !(value instanceof Range))
      throw new TemplateError("'generator' object is not reversible");
    return orElse(iterate(value).at(-1), () => new Undefined('the last item of an empty list'));
  },
  length,
  list(value, _args, _kwargs, { budget }) {
    const items = iterate(value);
    budget.grow(items.length);
    return [...items];
  },
  lower: (value) => str(value).toLowerCase(),
  map(value, args, kwargs, context) {
    const attribute = args.length === 0 ? kwargs.get('attribute') : undefined;
    const apply =
      attribute !== undefined
        ? getter(attribute, context, kwargs.get('default'))
        : (item: Value) => context.filter(text(args[0], 'map requires a filter'), item, args.slice(1), kwargs);
    return new Iterable(
      iterate(value).map((item) => {
        context.budget.step();
        return apply(item);
      }),
    );
  },
  max: extreme(1),
  min: extreme(-1),
  reject: selecting(false, false),
  rejectattr: selecting(false, true),
  replace(value, args, kwargs, { budget }) {
    const [from, to, count] = bind('replace', ['old', 'new', 'count'], args, kwargs);
    const [self, a, b] = [str(value), str(from!), str(to!)];
    if (b.length > a.length) budget.grow((self.split(a).length - 1) * b.length);
    return replace(self, a, b, count === undefined || count === null ? -1 : wholeNumber(count, -1, 'replace'));
  },
  reverse(value) {
    if (typeof value === 'string') return [...value].reverse().join('');
    return new Iterable([...iterate(value)].reverse());
  },
  round,
  safe: (value) => str(value),
  select: selecting(true, false),
  selectattr: selecting(true, true),
  slice(value, args, kwargs) {
    const [count, fill] = bind('slice', ['slices', 'fill_with'], args, kwargs);
    const slices = wholeNumber(count, 0, 'slice');
    const items = iterate(value);
    if (slices < 1 || slices > 10_000) throw missing(`slice with ${slices} parts`);
    const [each, extra] = [Math.floor(items.length / slices), items.length % slices];
    let offset = 0;
    return new Iterable(
      Array.from({ length: slices }, (_, i) => {
        const start = offset + i * each;
        if (i < extra) offset++;
        const part = items.slice(start, offset + (i + 1) * each);
        return given(fill) && i >= extra ? [...part, fill!] : part;
      }).map((part) => [...part]),
    );
  },
  sort(value, args, kwargs, context) {
    const [reverse = false, caseSensitive, attribute] = bind('sort', ['reverse', 'case_sensitive', 'attribute'], args, kwargs);
    const attributes = typeof attribute === 'string' && attribute.includes(',') ? attribute.split(',') : [attribute];
    const keys = attributes.map((one) => keyed(getter(one, context), caseSensitive));
    return sorted(iterate(value), (item) => (keys.length === 1 ? keys[0](item) : keys.map((key) => key(item))), truthy(reverse));
  },
  string: (value) => str(value),
  sum(value, args, kwargs, context) {
    const [attribute, start = 0] = bind('sum', ['attribute', 'start'], args, kwargs);
    return iterate(value)
      .map(getter(attribute, context))
      .reduce((total, item) => binary('+', total, item, context.budget), start);
  },
  title: (value) =>
    str(value)
      .split(/([-\s({[<]+)/)
      .filter((part) => part !== '')
      .map((part) => {
        const [head, ...rest] = part;
        return head.toUpperCase() + rest.join('').toLowerCase();
      })
      .join(''),
  tojson(value, args, kwargs, { budget }) {
    const out = toJson(value, args, kwargs);
    budget.grow(out.length);
    return out;
  },
  trim: (value, args, kwargs) => strip(str(value), bind('trim', ['chars'], args, kwargs)[0], 'both'),
  truncate,
  unique(value, args, kwargs, context) {
    const [caseSensitive, attribute] = bind('unique', ['case_sensitive', 'attribute'], args, kwargs);
    const key = keyed(getter(attribute, context), caseSensitive);
    const seen = new Set<Value>();
    return new Iterable(
      iterate(value).filter((item) => {
        const found = key(item);
        const plain = isNumber(found) ? toNumber(found) : found;
        if (typeof plain === 'object' && plain !== null) throw missing(`unique over a ${typeName(plain)}`);
        return !seen.has(plain) && seen.add(plain);
      }),
    );
  },
  upper: (value) => str(value).toUpperCase(),
  urlencode(value) {
    const quote = (one: Value, safe: string): string =>
      encodeURIComponent(str(one).toWellFormed())
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll('%2F', safe);
    if (typeof value === 'string' || isNumber(value) || value === null) return quote(value, '/');
    const pairs = value instanceof Map ? [...value] : iterate(value).map((pair) => [...iterate(pair)] as [Value, Value]);
    return pairs.map(([key, one]) => `${quote(key, '%2F').replaceAll('%20', '+')}=${quote(one, '%2F').replaceAll('%20', '+')}`).join('&');
  },
  wordcount: (value) => str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0,
};
