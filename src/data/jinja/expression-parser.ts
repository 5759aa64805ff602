// Tokens as expressions, with Jinja's precedence.

import type { Arguments, Expression } from './ast';
import type { Token, TokenType } from './lexer';
import { TemplateError } from './template-error';
import { Float, int, type Value } from './values';

/** Expressions and blocks within each other; deeper ones would overflow the stack. */
const MAX_DEPTH = 120;

const CONSTANTS: Readonly<Record<string, Value>> = { true: true, false: false, none: null, True: true, False: false, None: null };

const NO_ARGUMENTS: Arguments = { args: [], kwargs: [], rest: null, restNamed: null };

export class ExpressionParser {
  protected at = 0;
  protected depth = 0;

  constructor(protected readonly tokens: readonly Token[]) {}

  protected get now(): Token {
    return this.tokens[this.at];
  }

  protected fail(reason: string): TemplateError {
    return new TemplateError(`line ${this.now.line} of the template: ${reason}`);
  }

  protected is(type: TokenType, ...values: readonly string[]): boolean {
    return this.now.type === type && (values.length === 0 || values.includes(this.now.value));
  }

  protected skip(type: TokenType, ...values: readonly string[]): boolean {
    const hit = this.is(type, ...values);
    if (hit) this.at++;
    return hit;
  }

  protected take(type: TokenType, value?: string): string {
    const found = this.now;
    if (found.type !== type || (value !== undefined && found.value !== value))
      throw this.fail(`expected ${value ?? type}, found ${found.value === '' ? found.type : `'${found.value}'`}`);
    this.at++;
    return found.value;
  }

  protected deeper<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) throw this.fail(`it is nested more than ${MAX_DEPTH} deep`);
    const result = parse();
    this.depth--;
    return result;
  }

  /** Expressions with commas between them; a single one without a comma is itself. */
  protected tuple(conditional = true, ends: readonly string[] = []): Expression {
    const one = (): Expression => (conditional ? this.expression() : this.or());
    const items: Expression[] = [];
    let many = false;
    for (;;) {
      if (this.is('variable_end') || this.is('block_end') || this.is('operator', ')') || this.is('name', ...ends, '\0')) break;
      items.push(one());
      if (!this.skip('operator', ',')) break;
      many = true;
    }
    if (items.length === 1 && !many) return items[0];
    if (items.length === 0) throw this.fail('an expression is missing');
    return { type: 'tuple', items };
  }

  protected expression(): Expression {
    return this.deeper(() => {
      let value = this.or();
      while (this.skip('name', 'if')) {
        const test = this.or();
        const otherwise = this.skip('name', 'else') ? this.expression() : null;
        value = { type: 'if', test, then: value, otherwise };
      }
      return value;
    });
  }

  #leftToRight(next: () => Expression, isOperator: () => boolean): Expression {
    let left = next();
    while (isOperator()) {
      const operator = this.now.value;
      this.at++;
      left = { type: 'binary', operator, left, right: next() };
    }
    return left;
  }

  protected or(): Expression {
    return this.#leftToRight(
      () => this.#and(),
      () => this.is('name', 'or'),
    );
  }

  #and(): Expression {
    return this.#leftToRight(
      () => this.#not(),
      () => this.is('name', 'and'),
    );
  }

  #not(): Expression {
    if (this.skip('name', 'not')) return this.deeper(() => ({ type: 'not', of: this.#not() }));
    return this.#compare();
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: [string, Expression][] = [];
    for (;;) {
      if (this.is('operator', '==', '!=', '<', '<=', '>', '>=')) {
        const operator = this.now.value;
        this.at++;
        rest.push([operator, this.#sum()]);
      } else if (this.skip('name', 'in')) rest.push(['in', this.#sum()]);
      else if (this.is('name', 'not') && this.tokens[this.at + 1].value === 'in' && this.tokens[this.at + 1].type === 'name') {
        this.at += 2;
        rest.push(['not in', this.#sum()]);
      } else break;
    }
    return rest.length === 0 ? first : { type: 'compare', first, rest };
  }

  #sum(): Expression {
    return this.#leftToRight(
      () => this.#concat(),
      () => this.is('operator', '+', '-'),
    );
  }

  #concat(): Expression {
    const parts = [this.#product()];
    while (this.skip('operator', '~')) parts.push(this.#product());
    return parts.length === 1 ? parts[0] : { type: 'concat', parts };
  }

  #product(): Expression {
    return this.#leftToRight(
      () => this.#power(),
      () => this.is('operator', '*', '/', '//', '%'),
    );
  }

  #power(): Expression {
    return this.#leftToRight(
      () => this.#unary(),
      () => this.is('operator', '**'),
    );
  }

  #unary(filtered = true): Expression {
    return this.deeper(() => {
      const sign = this.is('operator', '-', '+') ? this.now.value : null;
      if (sign !== null) this.at++;
      const inner: Expression = sign === null ? this.primary() : { type: sign === '-' ? 'negative' : 'positive', of: this.#unary(false) };
      const whole = this.postfix(inner);
      return filtered ? this.#filtersAndTests(whole) : whole;
    });
  }

  protected primary(): Expression {
    const { type, value } = this.now;
    this.at++;
    switch (type) {
      case 'name':
        return Object.hasOwn(CONSTANTS, value) ? { type: 'const', value: CONSTANTS[value] } : { type: 'name', name: value };
      case 'string': {
        let text = value;
        while (this.is('string')) text += this.take('string');
        return { type: 'const', value: text };
      }
      case 'integer':
        return { type: 'const', value: int(Number(value.replaceAll('_', ''))) };
      case 'float':
        return { type: 'const', value: new Float(Number(value.replaceAll('_', ''))) };
      case 'operator':
        if (value === '(') {
          const inner: Expression = this.is('operator', ')') ? { type: 'tuple', items: [] } : this.tuple();
          this.take('operator', ')');
          return inner;
        }
        if (value === '[') return { type: 'list', items: this.#list(']') };
        if (value === '{') return this.#dict();
        break;
      default:
    }
    this.at--;
    throw this.fail(`unexpected ${value === '' ? type : `'${value}'`}`);
  }

  #list(end: string): Expression[] {
    const items: Expression[] = [];
    while (!this.skip('operator', end)) {
      if (items.length > 0) this.take('operator', ',');
      if (this.skip('operator', end)) break;
      items.push(this.expression());
    }
    return items;
  }

  #dict(): Expression {
    const entries: [Expression, Expression][] = [];
    while (!this.skip('operator', '}')) {
      if (entries.length > 0) this.take('operator', ',');
      if (this.skip('operator', '}')) break;
      const key = this.expression();
      this.take('operator', ':');
      entries.push([key, this.expression()]);
    }
    return { type: 'dict', entries };
  }

  protected postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.skip('operator', '.')) {
        if (this.is('integer')) value = { type: 'item', of: value, key: { type: 'const', value: Number(this.take('integer')) } };
        else value = { type: 'attribute', of: value, name: this.take('name') };
      } else if (this.skip('operator', '[')) value = this.#subscript(value);
      else if (this.is('operator', '(')) value = { type: 'call', of: value, with: this.arguments() };
      else return value;
    }
  }

  #subscript(of: Expression): Expression {
    const parts: (Expression | null)[] = [];
    let sliced = false;
    let part: Expression | null = null;
    while (!this.is('operator', ']')) {
      if (this.skip('operator', ':')) {
        sliced = true;
        parts.push(part);
        part = null;
      } else if (part === null) part = this.expression();
      else throw this.fail('expected ]');
    }
    this.take('operator', ']');
    if (sliced) {
      if (parts.length > 2) throw this.fail('a slice has more than three parts');
      return { type: 'slice', of, parts: [...parts, part] };
    }
    if (part === null) throw this.fail('an index is missing');
    return { type: 'item', of, key: part };
  }

  protected arguments(): Arguments {
    const args: Expression[] = [];
    const kwargs: [string, Expression][] = [];
    let [rest, restNamed]: (Expression | null)[] = [null, null];
    let first = true;
    this.take('operator', '(');
    while (!this.skip('operator', ')')) {
      if (!first) this.take('operator', ',');
      first = false;
      if (this.skip('operator', ')')) break;
      if (this.skip('operator', '*')) rest = this.expression();
      else if (this.skip('operator', '**')) restNamed = this.expression();
      else if (this.is('name') && this.tokens[this.at + 1].type === 'operator' && this.tokens[this.at + 1].value === '=') {
        const name = this.take('name');
        this.at++;
        kwargs.push([name, this.expression()]);
      } else {
        if (kwargs.length > 0) throw this.fail('an argument without a name follows one with a name');
        args.push(this.expression());
      }
    }
    return { args, kwargs, rest, restNamed };
  }

  #filtersAndTests(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.is('operator', '|')) value = this.filters(value);
      else if (this.skip('name', 'is')) value = this.#test(value);
      else if (this.is('operator', '(')) value = { type: 'call', of: value, with: this.arguments() };
      else return value;
    }
  }

  /** `first`: the name of a filter that was read already. */
  protected filters(start: Expression | null, first?: string): Expression {
    let value = start;
    let name = first;
    while (name !== undefined || this.skip('operator', '|')) {
      name ??= this.take('name');
      while (this.skip('operator', '.')) name += `.${this.take('name')}`;
      value = { type: 'filter', of: value, name, with: this.is('operator', '(') ? this.arguments() : NO_ARGUMENTS };
      name = undefined;
    }
    return value!;
  }

  #test(of: Expression): Expression {
    const negated = this.skip('name', 'not');
    let name = this.take('name');
    while (this.skip('operator', '.')) name += `.${this.take('name')}`;
    let given = NO_ARGUMENTS;
    if (this.is('operator', '(')) given = this.arguments();
    else if (
      (['string', 'integer', 'float'] as const).some((type) => this.is(type)) ||
      this.is('operator', '[', '{') ||
      (this.is('name') && !this.is('name', 'else', 'or', 'and', 'if', 'in', 'not'))
    ) {
      if (this.is('name', 'is')) throw this.fail('tests cannot be chained with is');
      given = { ...NO_ARGUMENTS, args: [this.postfix(this.primary())] };
    }
    const test: Expression = { type: 'test', of, name, with: given };
    return negated ? { type: 'not', of: test } : test;
  }
}
