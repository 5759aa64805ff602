// x.name, x[key] and x[a:b:c]: attributes before items for a dot, items before attributes for brackets, as Jinja has it.

import { wholeNumber } from './arguments';
import { methodOf } from './methods';
import { formatText } from './text-format';
import { TemplateError } from './template-error';
import { Attributes, Callable, Group, Namespace, orElse, Range, Tuple, typeName, Undefined, type Value } from './values';

export function attributeOf(value: Value, name: string): Value {
  if (value instanceof Undefined) value.refuse();
  return orElse(ownAttribute(value, name), () => orElse(ownItem(value, name), () => absent(value, name)));
}

export function itemOf(value: Value, key: Value): Value {
  if (value instanceof Undefined) value.refuse();
  const item = ownItem(value, key);
  if (item !== undefined) return item;
  return orElse(typeof key === 'string' ? ownAttribute(value, key) : undefined, () => absent(value, key));
}

const absent = (value: Value, key: Value): Undefined =>
  new Undefined(`'${typeName(value)} object' has no ${typeof key === 'string' ? `attribute '${key}'` : 'such element'}: it`);

function ownAttribute(value: Value, name: string): Value | undefined {
  if (value instanceof Namespace) return value.values.get(name);
  if (value instanceof Attributes) return value.get(name);
  if (value instanceof Group && (name === 'grouper' || name === 'list')) return value.items[name === 'grouper' ? 0 : 1];
  if (typeof value === 'string' && name === 'format')
    return new Callable(name, (args, kwargs, spent) => formatText(value, args, kwargs, spent, { attributeOf, itemOf }));
  return methodOf(value, name);
}

function ownItem(value: Value, key: Value): Value | undefined {
  if (value instanceof Map) return value.get(key);
  if (typeof key !== 'number' && typeof key !== 'boolean') return undefined;
  const at = Number(key);
  if (typeof value === 'string') return characterAt(value, at);
  const items = Array.isArray(value) ? value : value instanceof Tuple || value instanceof Range ? value.items : null;
  return items?.[at < 0 ? items.length + at : at];
}

const ASCII = /^[\0-\x7f]*$/;

function characterAt(text: string, at: number): string | undefined {
  const plain = text.length < 64 && ASCII.test(text);
  const characters = plain ? text : [...text];
  return characters[at < 0 ? characters.length + at : at];
}

/** Python's slices, over characters for a text. */
export function sliceOf(value: Value, parts: readonly Value[]): Value {
  if (value instanceof Undefined) value.refuse();
  const items =
    typeof value === 'string'
      ? [...value]
      : Array.isArray(value)
        ? value
        : value instanceof Tuple || value instanceof Range
          ? value.items
          : null;
  if (value instanceof Map) return absent(value, 'a slice');
  if (!items) throw new TemplateError(`'${typeName(value)}' object is not subscriptable`);
  const [start, stop, step = null] = parts.map((part) => (part === null ? null : wholeNumber(part, 0, 'a slice')));
  const by = step ?? 1;
  if (by === 0) throw new TemplateError('slice step cannot be zero');
  const { length } = items;
  const clip = (at: number | null, fallback: number): number => {
    if (at === null) return fallback;
    const from = at < 0 ? at + length : at;
    return by > 0 ? Math.min(Math.max(from, 0), length) : Math.min(Math.max(from, -1), length - 1);
  };
  const [from, to] = by > 0 ? [clip(start, 0), clip(stop, length)] : [clip(start, length - 1), clip(stop, -1)];
  const taken: Value[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) taken.push(items[i]);
  if (value instanceof Range)
    return new Range(value.start + from * value.step, value.start + to * value.step, value.step * by, taken.length);
  if (typeof value === 'string') return taken.join('');
  return value instanceof Tuple ? new Tuple(taken) : taken;
}
