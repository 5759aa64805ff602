// Python's json.dumps, as transformers' tojson calls it: characters as they are, a space after comma and colon.

import { bind } from './arguments';
import { missing, TemplateError } from './template-error';
import { compare, Float, hex, isNumber, MAX_NESTING, reprFloat, truthy, Tuple, typeName, type Kwargs, type Value } from './values';

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

function quoted(text: string, ascii: boolean): string {
  // eslint-disable-next-line no-control-regex
  const pattern = ascii ? /["\\\x00-\x1f]|[^\x00-\x7f]/g : /["\\\x00-\x1f]/g;
  return `"${text.replace(pattern, (c) => (Object.hasOwn(SHORT, c) ? SHORT[c] : `\\u${hex(c.charCodeAt(0), 4)}`))}"`;
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'null';
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'number') return String(key);
  throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return reprFloat(value);
}

export function toJson(value: Value, args: readonly Value[], kwargs: Kwargs): string {
  const [ascii = false, indent = null, separators = null, sorted = false] = bind(
    'tojson',
    ['ensure_ascii', 'indent', 'separators', 'sort_keys'],
    args,
    kwargs,
  );
  const step =
    indent === null
      ? null
      : typeof indent === 'string'
        ? indent
        : isNumber(indent)
          ? ' '.repeat(Math.max(0, Math.min(64, Number(indent))))
          : null;
  const given = separators instanceof Tuple ? separators.items : Array.isArray(separators) ? separators : null;
  const [comma, colon] = given ? given.map(String) : [step === null ? ', ' : ',', ': '];
  const wrap = (items: readonly string[], open: string, close: string, depth: number): string => {
    if (items.length === 0) return open + close;
    if (step === null) return open + items.join(comma) + close;
    const line = `\n${step.repeat(depth + 1)}`;
    return `${open}${line}${items.join(comma + line)}\n${step.repeat(depth)}${close}`;
  };
  const write = (item: Value, depth: number): string => {
    if (depth > MAX_NESTING) throw missing(`values nested more than ${MAX_NESTING} deep`);
    if (item === null) return 'null';
    if (typeof item === 'boolean' || typeof item === 'number') return String(item);
    if (item instanceof Float) return number(item.value);
    if (typeof item === 'string') return quoted(item, truthy(ascii));
    const items = Array.isArray(item) ? item : item instanceof Tuple ? item.items : null;
    if (items)
      return wrap(
        items.map((one) => write(one, depth + 1)),
        '[',
        ']',
        depth,
      );
    if (!(item instanceof Map)) throw new TemplateError(`Object of type ${typeName(item)} is not JSON serializable`);
    const entries = [...item];
    if (truthy(sorted)) entries.sort(([a], [b]) => compare(a, b));
    return wrap(
      entries.map(([key, one]) => quoted(keyText(key), truthy(ascii)) + colon + write(one, depth + 1)),
      '{',
      '}',
      depth,
    );
  };
  return write(value, 0);
}
