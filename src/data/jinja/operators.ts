// Python's operators.

import type { Budget } from './budget';
import { percentFormat } from './percent-format';
import { TemplateError } from './template-error';
import { equal, Float, int, isNumber, iterate, lengthOf, textLength, toNumber, Tuple, typeName, Undefined, type Value } from './values';

export function contains(container: Value, value: Value): boolean {
  if (typeof container === 'string') {
    if (typeof value !== 'string') {
      if (value instanceof Undefined) value.refuse();
      throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(value)}`);
    }
    return container.includes(value);
  }
  if (container instanceof Map) return container.has(value);
  if (isNumber(container) || container === null) throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
  return iterate(container).some((item) => equal(item, value));
}

export function binary(operator: string, left: Value, right: Value, budget: Budget): Value {
  if (left instanceof Undefined) left.refuse();
  if (operator === '%' && typeof left === 'string') return percentFormat(left, right, budget);
  if (right instanceof Undefined) right.refuse();
  if (isNumber(left) && isNumber(right)) return arithmetic(operator, left, right);
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') {
      budget.grow(left.length + right.length);
      return left + right;
    }
    if (Array.isArray(left) && Array.isArray(right)) {
      budget.grow(8 * (left.length + right.length));
      return [...left, ...right];
    }
    if (left instanceof Tuple && right instanceof Tuple) return new Tuple([...left.items, ...right.items]);
    if (typeof left === 'string') throw new TemplateError(`can only concatenate str (not "${typeName(right)}") to str`);
  }
  if (operator === '*') {
    const [times, value] = isWhole(left) ? [Number(left), right] : isWhole(right) ? [Number(right), left] : [null, null];
    if (times !== null && (typeof value === 'string' || Array.isArray(value) || value instanceof Tuple)) {
      const count = Math.max(0, times);
      budget.grow(count * Math.max(1, typeof value === 'string' ? textLength(value) : lengthOf(value)));
      if (typeof value === 'string') return value.repeat(count);
      const items = Array.from({ length: count }, () => iterate(value)).flat();
      return value instanceof Tuple ? new Tuple(items) : items;
    }
  }
  throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);
}

const isWhole = (value: Value): value is number | boolean => typeof value === 'number' || typeof value === 'boolean';

function arithmetic(operator: string, left: number | Float | boolean, right: number | Float | boolean): Value {
  const [a, b] = [toNumber(left), toNumber(right)];
  const whole = !(left instanceof Float) && !(right instanceof Float);
  const made = (value: number): Value => (whole ? int(value) : new Float(value));
  switch (operator) {
    case '+':
      return made(a + b);
    case '-':
      return made(a - b);
    case '*':
      return made(a * b);
    case '**':
      if (a === 0 && b < 0) throw new TemplateError('0.0 cannot be raised to a negative power');
      return whole && b >= 0 ? int(a ** b) : new Float(a ** b);
  }
  if (b === 0) throw new TemplateError(operator === '%' && whole ? 'integer modulo by zero' : 'division by zero');
  if (operator === '/') return new Float(a / b);
  if (operator === '//') return made(Math.floor(a / b));
  const rest = a % b;
  if (rest === 0 && !whole) return new Float(b < 0 ? -0 : 0);
  return made(rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest);
}
