// Python's str.format and its small language of widths and precisions.

import type { Budget } from './budget';
import { centered } from './text-methods';
import { missing, TemplateError } from './template-error';
import { Float, isNumber, repr, reprFloat, str, textLength, toNumber, typeName, type Kwargs, type Value } from './values';

/** How a field looks into its value. */
export interface Access {
  attributeOf(value: Value, name: string): Value;
  itemOf(value: Value, key: Value): Value;
}

export function formatText(self: string, args: readonly Value[], kwargs: Kwargs, budget: Budget, { attributeOf, itemOf }: Access): string {
  let next = 0;
  const field = (inner: string, depth: number): string => {
    if (depth > 2) throw new TemplateError('Max string recursion exceeded');
    const [, name, conversion, spec = ''] = /^([^!:]*)(?:!(.))?(?::([^]*))?$/.exec(inner) ?? [];
    if (name === undefined) throw missing(`the format field '{${inner}}'`);
    const [, first, path] = /^([^.[]*)([^]*)$/.exec(name)!;
    const at = first === '' ? next++ : /^\d+$/.test(first) ? Number(first) : null;
    let value = at === null ? kwargs.get(first) : args[at];
    if (value === undefined)
      throw new TemplateError(at === null ? `format has no '${first}'` : 'Replacement index out of range for positional args tuple');
    for (const [, attribute, key] of path.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g))
      value = attribute !== undefined ? attributeOf(value, attribute) : itemOf(value, /^\d+$/.test(key) ? Number(key) : key);
    if (conversion !== undefined) {
      if (conversion === 's') value = str(value);
      else if (conversion === 'r') value = repr(value);
      else throw missing(`the conversion !${conversion}`);
    }
    return formatValue(value, expand(spec, depth + 1), budget);
  };
  const expand = (source: string, depth: number): string => {
    let out = '';
    for (let at = 0; at < source.length;) {
      const c = source[at];
      if ((c === '{' || c === '}') && source[at + 1] === c && depth === 0) {
        out += c;
        at += 2;
      } else if (c === '{') {
        let end = at + 1;
        for (let open = 1; open > 0; end++) {
          if (end >= source.length) throw new TemplateError("expected '}' before end of string");
          if (source[end] === '{') open++;
          else if (source[end] === '}') open--;
        }
        out += field(source.slice(at + 1, end - 1), depth);
        at = end;
      } else if (c === '}') throw new TemplateError("Single '}' encountered in format string");
      else {
        out += c;
        at++;
      }
    }
    return out;
  };
  const made = expand(self, 0);
  budget.grow(made.length);
  return made;
}

const SPEC = /^(?:([^])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u;

function formatValue(value: Value, spec: string, budget: Budget): string {
  if (spec === '') return str(value);
  const parts = SPEC.exec(spec);
  if (!parts) throw new TemplateError(`Invalid format specifier '${spec}'`);
  const [, fill, alignment, sign, alternate, zero, width, group, precision, type] = parts as (string | undefined)[] as [
    string,
    ...(string | undefined)[],
  ];
  const size = Number(width ?? 0);
  budget.grow(size);
  const isText = typeof value === 'string';
  if (!isText && !isNumber(value)) throw new TemplateError(`unsupported format string passed to ${typeName(value)}.__format__`);
  let body: string;
  let mark = '';
  if (isText) {
    if (type !== undefined && type !== 's') throw new TemplateError(`Unknown format code '${type}' for object of type 'str'`);
    if (group !== undefined) throw new TemplateError(`Cannot specify '${group}' with 's'.`);
    body = precision === undefined ? value : [...value].slice(0, Number(precision)).join('');
  } else {
    const number = toNumber(value);
    mark = number < 0 || Object.is(number, -0) ? '-' : sign === '+' || sign === ' ' ? sign : '';
    body = digitsOf(
      Math.abs(number),
      value instanceof Float,
      type,
      precision === undefined ? null : Number(precision),
      alternate !== undefined,
    );
    if (group !== undefined) body = body.replace(/^\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, group));
  }
  const align = alignment ?? (zero !== undefined && !isText ? '=' : isText ? '<' : '>');
  const filling = fill ?? (zero !== undefined ? '0' : ' ');
  const padding = filling.repeat(Math.max(0, size - textLength(mark + body)));
  if (align === '=') return mark + padding + body;
  if (align === '<') return mark + body + padding;
  if (align === '>') return padding + mark + body;
  const whole = mark + body;
  const left = Math.floor(padding.length / 2);
  return size > 0 ? padding.slice(0, left) + whole + padding.slice(left) : centered(whole, size);
}

/** The digits of a number that is not negative. */
export function digitsOf(number: number, isFloat: boolean, type: string | undefined, precision: number | null, alternate: boolean): string {
  if (precision !== null && precision > 100) throw missing('a precision above 100');
  switch (type) {
    case undefined:
      if (!isFloat) return String(number);
      return precision === null ? reprFloat(number) : general(number, precision);
    case 'd':
    case 'n':
      if (isFloat) throw new TemplateError(`Unknown format code '${type}' for object of type 'float'`);
      return String(number);
    case 'x':
    case 'X':
    case 'o':
    case 'b': {
      if (isFloat) throw new TemplateError(`Unknown format code '${type}' for object of type 'float'`);
      const digits = number.toString({ x: 16, X: 16, o: 8, b: 2 }[type]);
      const text = alternate ? `0${type}${digits}` : digits;
      return type === 'X' ? text.toUpperCase() : text;
    }
    case 'f':
    case 'F':
      return fixed(number, precision ?? 6);
    case '%':
      return `${fixed(number * 100, precision ?? 6)}%`;
    case 'e':
    case 'E': {
      const text = number.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, 'e$10$2');
      return type === 'E' ? text.toUpperCase() : text;
    }
    case 'g':
    case 'G': {
      const text = general(number, precision ?? 6);
      return type === 'G' ? text.toUpperCase() : text;
    }
    case 'c':
      return String.fromCodePoint(number);
    default:
      throw new TemplateError(`Unknown format code '${type}'`);
  }
}

const fixed = (number: number, digits: number): string => {
  if (number >= 1e21) throw missing('a number this large with a fixed number of digits');
  return number.toFixed(digits);
};

function general(number: number, precision: number): string {
  const digits = Math.max(1, precision);
  const [mantissa, exponent] = number.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  const short = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (power < -4 || power >= digits) return `${short(mantissa)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return short(number.toFixed(Math.max(0, digits - 1 - power)));
}
