// A template's tokens as statements.

import type { Expression, Parameters, Statement, Target } from './ast';
import { ExpressionParser } from './expression-parser';
import { tokenize } from './lexer';
import { missing } from './template-error';

const NOT_BUILT = new Set(['include', 'import', 'from', 'extends', 'autoescape', 'trans', 'do', 'debug']);

export interface Parsed {
  readonly body: readonly Statement[];
  /** Every name, attribute, key and text in the template's tags. */
  readonly mentions: ReadonlySet<string>;
}

export function parseTemplate(source: string): Parsed {
  const tokens = tokenize(source);
  const mentions = new Set(tokens.filter(({ type }) => type === 'name' || type === 'string').map(({ value }) => value));
  return { body: new Parser(tokens).all(), mentions };
}

class Parser extends ExpressionParser {
  /** Loops around the current statement. */
  private loops = 0;

  all(): Statement[] {
    const body = this.#statements([]);
    if (this.now.type !== 'end') throw this.fail(`unexpected '${this.now.value}'`);
    return body;
  }

  /** Up to a block that begins with one of `ends`, which stays unread after its opening. */
  #statements(ends: readonly string[]): Statement[] {
    return this.deeper(() => {
      const body: Statement[] = [];
      for (;;) {
        const token = this.now;
        if (token.type === 'end') {
          if (ends.length > 0) throw this.fail(`${ends.join(' or ')} is missing`);
          return body;
        }
        this.at++;
        if (token.type === 'text') body.push({ type: 'text', text: token.value });
        else if (token.type === 'variable_begin') {
          body.push({ type: 'output', value: this.tuple() });
          this.take('variable_end');
        } else if (ends.length > 0 && this.is('name', ...ends)) return body;
        else {
          body.push(this.#statement());
          this.take('block_end');
        }
      }
    });
  }

  /** The body after a block's head, and the name of the block that ends it. */
  #body(...ends: readonly string[]): { readonly body: Statement[]; readonly end: string } {
    this.take('block_end');
    const body = this.#statements(ends);
    return { body, end: this.take('name') };
  }

  #statement(): Statement {
    const name = this.take('name');
    switch (name) {
      case 'if':
        return this.#if();
      case 'for':
        return this.#for();
      case 'set':
        return this.#set();
      case 'macro': {
        const named = this.take('name');
        const parameters = this.#parameters();
        const from = this.at;
        const { body } = this.#body('endmacro');
        this.skip('name', named);
        const uses = new Set(this.tokens.slice(from, this.at).map(({ value }) => value));
        return { type: 'macro', name: named, parameters, body, uses };
      }
      case 'call': {
        const parameters = this.is('operator', '(') ? this.#parameters() : { names: [], defaults: [] };
        const call = this.expression();
        if (call.type !== 'call') throw this.fail('expected a call');
        return { type: 'call block', call, parameters, body: this.#body('endcall').body };
      }
      case 'filter': {
        const filter = this.filters(null, this.take('name'));
        return { type: 'filter block', filter, body: this.#body('endfilter').body };
      }
      case 'with': {
        const targets: Target[] = [];
        const values: Expression[] = [];
        while (!this.is('block_end')) {
          if (targets.length > 0) this.take('operator', ',');
          targets.push(this.#target());
          this.take('operator', '=');
          values.push(this.expression());
        }
        return { type: 'with', targets, values, body: this.#body('endwith').body };
      }
      case 'generation':
        return { type: 'scope', body: this.#body('endgeneration').body };
      case 'block': {
        const named = this.take('name');
        while (this.skip('name', 'scoped', 'required'));
        const { body } = this.#body('endblock');
        this.skip('name', named);
        return { type: 'scope', body };
      }
      case 'break':
      case 'continue':
        if (this.loops === 0) throw this.fail(`${name} outside of a loop`);
        return { type: name };
      default:
        throw NOT_BUILT.has(name) ? missing(`the tag ${name}`) : this.fail(`unknown tag '${name}'`);
    }
  }

  #if(): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    for (;;) {
      const test = this.tuple(false);
      const { body, end } = this.#body('elif', 'else', 'endif');
      branches.push({ test, body });
      if (end === 'elif') continue;
      const otherwise = end === 'else' ? this.#body('endif').body : [];
      return { type: 'if', branches, otherwise };
    }
  }

  #for(): Statement {
    const target = this.#targets('in');
    this.take('name', 'in');
    const over = this.tuple(false, ['recursive']);
    const only = this.skip('name', 'if') ? this.expression() : null;
    const recursive = this.skip('name', 'recursive');
    this.loops++;
    const { body, end } = this.#body('else', 'endfor');
    this.loops--;
    const otherwise = end === 'else' ? this.#body('endfor').body : [];
    return { type: 'for', target, over, only, recursive, body, otherwise };
  }

  #set(): Statement {
    const target = this.#targets();
    if (this.skip('operator', '=')) return { type: 'set', target, value: this.tuple() };
    const filter = this.is('operator', '|') ? this.filters(null) : null;
    return { type: 'set block', target, filter, body: this.#body('endset').body };
  }

  #target(): Target {
    if (this.skip('operator', '(')) {
      const inner = this.#targets(')');
      this.take('operator', ')');
      return inner;
    }
    const name = this.take('name');
    if (!this.skip('operator', '.')) return { type: 'name', name };
    return { type: 'attribute', of: name, name: this.take('name') };
  }

  #targets(end?: string): Target {
    const targets = [this.#target()];
    let many = false;
    while (this.skip('operator', ',')) {
      many = true;
      if (end !== undefined && (this.is('name', end) || this.is('operator', end))) break;
      targets.push(this.#target());
    }
    return many ? { type: 'targets', targets } : targets[0];
  }

  #parameters(): Parameters {
    const names: string[] = [];
    const defaults: Expression[] = [];
    this.take('operator', '(');
    while (!this.skip('operator', ')')) {
      if (names.length > 0) this.take('operator', ',');
      if (this.skip('operator', ')')) break;
      names.push(this.take('name'));
      if (this.skip('operator', '=')) defaults.push(this.expression());
      else if (defaults.length > 0) throw this.fail('a parameter without a default follows one with a default');
    }
    return { names, defaults };
  }
}
