// Python's 'text' % values.

import type { Budget } from './budget';
import { digitsOf } from './text-format';
import { missing, TemplateError } from './template-error';
import { Float, isNumber, repr, str, textLength, toNumber, Tuple, typeName, type Value } from './values';

const FIELD = /%(?:\((.*?)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([^])/gs;

export function percentFormat(self: string, given: Value, budget: Budget): string {
  const values = given instanceof Tuple ? given.items : [given];
  let next = 0;
  let named = false;
  const made = self.replace(
    FIELD,
    (whole, name: string | undefined, flags: string, width: string | undefined, precision: string | undefined, type: string) => {
      if (type === '%') return '%';
      if (width === '*' || precision === '*') throw missing('* in a % format');
      let value: Value;
      if (name !== undefined) {
        if (!(given instanceof Map)) throw new TemplateError('format requires a mapping');
        const found = given.get(name);
        if (found === undefined) throw new TemplateError(`the format's key '${name}' is missing`);
        [value, named] = [found, true];
      } else {
        if (next >= values.length) throw new TemplateError('not enough arguments for format string');
        value = values[next++];
      }
      budget.grow(Number(width ?? 0));
      return padded(
        converted(value, type, flags, precision === undefined ? null : Number(precision), whole),
        flags,
        Number(width ?? 0),
        type,
      );
    },
  );
  const lone = made.replace(/%%/g, '');
  if (/%$/.test(self.replace(FIELD, '')) || (lone === self && /%/.test(self) && !FIELD.test(self)))
    throw new TemplateError('incomplete format');
  FIELD.lastIndex = 0;
  if (next < values.length && !named && !(given instanceof Map))
    throw new TemplateError('not all arguments converted during string formatting');
  budget.grow(made.length);
  return made;
}

function converted(value: Value, type: string, flags: string, precision: number | null, whole: string): string {
  const cut = (text: string): string => (precision === null ? text : [...text].slice(0, precision).join(''));
  if (type === 's') return cut(str(value));
  if (type === 'r' || type === 'a') return cut(repr(value));
  if (type === 'c' && typeof value === 'string' && textLength(value) === 1) return value;
  if (!'diuxXofFeEgGc'.includes(type)) throw new TemplateError(`unsupported format character '${type}' in '${whole}'`);
  if (!isNumber(value)) throw new TemplateError(`%${type} format: a real number is required, not ${typeName(value)}`);
  const number = toNumber(value);
  const sign =
    number < 0 || (Object.is(number, -0) && !'diuxXo'.includes(type)) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const size = Math.abs(number);
  if ('diu'.includes(type)) return sign + String(Math.trunc(size)).padStart(precision ?? 0, '0');
  return sign + digitsOf('xXo'.includes(type) ? Math.trunc(size) : size, value instanceof Float, type, precision, flags.includes('#'));
}

function padded(text: string, flags: string, width: number, type: string): string {
  const missingWidth = width - textLength(text);
  if (missingWidth <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missingWidth);
  if (!flags.includes('0') || 'sra'.includes(type)) return ' '.repeat(missingWidth) + text;
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missingWidth) + text.slice(sign.length);
}
