// Renders a parsed template as jinja2 does in transformers' environment (sandboxed, immutable, without autoescape).

import type { Arguments, Expression, Parameters, Statement, Target } from './ast';
import { attributeOf, itemOf, sliceOf } from './access';
import { Budget } from './budget';
import { FILTERS, type Context } from './filters';
import { binary, contains } from './operators';
import { Scope } from './scope';
import { TESTS } from './tests';
import { missing, TemplateError } from './template-error';
import {
  Attributes,
  Callable,
  compare,
  equal,
  Float,
  isNumber,
  iterate,
  Namespace,
  orElse,
  repr,
  str,
  toNumber,
  truthy,
  Tuple,
  typeName,
  Undefined,
  type Kwargs,
  type Value,
} from './values';

type Jump = 'break' | 'continue' | null;

export class Interpreter implements Context {
  readonly budget = new Budget();
  #out: string[] = [];

  constructor(private readonly globals: Scope) {}

  render(body: readonly Statement[]): string {
    this.#run(body, new Scope(this.globals));
    return this.#out.join('');
  }

  filter(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): Value {
    if (!Object.hasOwn(FILTERS, name)) throw missing(`the filter ${name}`);
    return FILTERS[name](value, args, kwargs, this);
  }

  test(name: string, value: Value, args: readonly Value[]): boolean {
    if (!Object.hasOwn(TESTS, name)) throw missing(`the test ${name}`);
    this.budget.step();
    return TESTS[name](value, args);
  }

  #write(text: string): void {
    this.budget.grow(text.length);
    this.#out.push(text);
  }

  /** What `work` writes, as a text instead. */
  #captured(work: () => void): string {
    const outer = this.#out;
    this.#out = [];
    try {
      work();
      return this.#out.join('');
    } finally {
      this.#out = outer;
    }
  }

  #run(body: readonly Statement[], scope: Scope): Jump {
    for (const statement of body) {
      this.budget.step();
      const jump = this.#statement(statement, scope);
      if (jump) return jump;
    }
    return null;
  }

  #statement(statement: Statement, scope: Scope): Jump {
    switch (statement.type) {
      case 'text':
        this.#write(statement.text);
        return null;
      case 'output':
        this.#write(str(this.#value(statement.value, scope)));
        return null;
      case 'if': {
        const branch = statement.branches.find(({ test }) => truthy(this.#value(test, scope)));
        return this.#run(branch ? branch.body : statement.otherwise, scope);
      }
      case 'for':
        this.#loop(statement, iterate(this.#value(statement.over, scope)), scope, 0);
        return null;
      case 'set':
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        return null;
      case 'set block': {
        const text = this.#captured(() => this.#run(statement.body, new Scope(scope)));
        this.#assign(statement.target, statement.filter ? this.#filtered(statement.filter, text, scope) : text, scope);
        return null;
      }
      case 'macro':
        scope.set(statement.name, this.#macro(statement.name, statement.parameters, statement.body, statement.uses, scope));
        return null;
      case 'call block': {
        const caller = this.#macro('caller', statement.parameters, statement.body, new Set(), scope);
        const { call } = statement;
        if (call.type !== 'call') throw new TemplateError('expected a call');
        const { args, kwargs } = this.#arguments(call.with, scope);
        this.#write(str(this.#call(this.#value(call.of, scope), args, new Map([...kwargs, ['caller', caller]]))));
        return null;
      }
      case 'filter block': {
        const text = this.#captured(() => this.#run(statement.body, new Scope(scope)));
        this.#write(str(this.#filtered(statement.filter, text, scope)));
        return null;
      }
      case 'with': {
        const inner = new Scope(scope);
        const values = statement.values.map((value) => this.#value(value, scope));
        statement.targets.forEach((target, i) => this.#assign(target, values[i], inner));
        return this.#run(statement.body, inner);
      }
      case 'scope':
        return this.#run(statement.body, new Scope(scope));
      case 'break':
      case 'continue':
        return statement.type;
    }
  }

  #loop(loop: Extract<Statement, { type: 'for' }>, all: readonly Value[], outer: Scope, depth: number): void {
    const { target, only, body, otherwise } = loop;
    let items = all;
    if (only) {
      items = all.filter((item) => {
        const scope = new Scope(outer);
        this.#assign(target, item, scope);
        this.budget.step();
        return truthy(this.#value(only, scope));
      });
    }
    if (items.length === 0) this.#run(otherwise, new Scope(outer));
    let last: readonly Value[] | null = null;
    for (let index = 0; index < items.length; index++) {
      this.budget.step();
      const scope = new Scope(outer);
      this.#assign(target, items[index], scope);
      const changed = new Callable('changed', (args) => {
        const same = last?.length === args.length && last.every((value, i) => equal(value, args[i]));
        last = args;
        return !same;
      });
      scope.set('loop', this.#loopObject(items, index, depth, loop.recursive ? loop : null, outer, changed));
      if (this.#run(body, scope) === 'break') break;
    }
  }

  #loopObject(
    items: readonly Value[],
    index: number,
    depth: number,
    recursive: Extract<Statement, { type: 'for' }> | null,
    outer: Scope,
    changed: Callable,
  ): Value {
    const count = items.length;
    const again = (args: readonly Value[]): Value =>
      this.budget.nested(() => this.#captured(() => this.#loop(recursive!, iterate(args[0] ?? null), outer, depth + 1)));
    const get = (name: string): Value | undefined => {
      switch (name) {
        case 'index':
          return index + 1;
        case 'index0':
          return index;
        case 'revindex':
          return count - index;
        case 'revindex0':
          return count - index - 1;
        case 'first':
          return index === 0;
        case 'last':
          return index === count - 1;
        case 'length':
          return count;
        case 'depth':
          return depth + 1;
        case 'depth0':
          return depth;
        case 'previtem':
          return index > 0 ? items[index - 1] : new Undefined('there is no previous item');
        case 'nextitem':
          return index < count - 1 ? items[index + 1] : new Undefined('there is no next item');
        case 'cycle':
          return new Callable('cycle', (args) => {
            if (args.length === 0) throw new TemplateError('no items for cycling given');
            return args[index % args.length];
          });
        case 'changed':
          return changed;
        case CALL:
          return recursive ? new Callable('loop', again) : undefined;
        default:
          return undefined;
      }
    };
    return new Attributes(get);
  }

  #macro(name: string, { names, defaults }: Parameters, body: readonly Statement[], uses: ReadonlySet<string>, outer: Scope): Callable {
    return new Callable(name, (args, kwargs) => {
      const scope = new Scope(outer);
      const rest = new Map(kwargs);
      if (args.length > names.length && !uses.has('varargs'))
        throw new TemplateError(`macro '${name}' takes not more than ${names.length} argument(s)`);
      names.forEach((parameter, i) => {
        const standard = defaults[i - (names.length - defaults.length)] as Expression | undefined;
        let value = args[i] as Value | undefined;
        if (rest.has(parameter)) {
          if (value !== undefined) throw new TemplateError(`macro '${name}' got multiple values for argument '${parameter}'`);
          value = rest.get(parameter);
          rest.delete(parameter);
        }
        const missed = (): Value => (standard ? this.#value(standard, scope) : new Undefined(`parameter '${parameter}'`));
        scope.set(parameter, orElse(value, missed));
      });
      const caller = rest.get('caller');
      if (caller !== undefined) {
        scope.set('caller', caller);
        rest.delete('caller');
      }
      if (uses.has('varargs')) scope.set('varargs', new Tuple(args.slice(names.length)));
      if (uses.has('kwargs')) scope.set('kwargs', new Map(rest));
      else if (rest.size > 0) throw new TemplateError(`macro '${name}' takes no keyword argument ${repr([...rest.keys()][0])}`);
      return this.budget.nested(() => this.#captured(() => this.#run(body, scope)));
    });
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.type === 'name') scope.set(target.name, value);
    else if (target.type === 'attribute') {
      const space = scope.get(target.of);
      if (!(space instanceof Namespace)) throw new TemplateError('cannot assign attribute on non-namespace object');
      space.values.set(target.name, value);
    } else {
      const items = iterate(value);
      const { targets } = target;
      if (items.length !== targets.length)
        throw new TemplateError(
          items.length > targets.length
            ? `too many values to unpack (expected ${targets.length})`
            : `not enough values to unpack (expected ${targets.length}, got ${items.length})`,
        );
      targets.forEach((part, i) => this.#assign(part, items[i], scope));
    }
  }

  /** A filter, or several, applied to a text that the statement made. */
  #filtered(filter: Expression, text: string, scope: Scope): Value {
    if (filter.type !== 'filter') throw new TemplateError('expected a filter');
    const value = filter.of ? this.#filtered(filter.of, text, scope) : text;
    const { args, kwargs } = this.#arguments(filter.with, scope);
    return this.filter(filter.name, value, args, kwargs);
  }

  #arguments(given: Arguments, scope: Scope): { args: Value[]; kwargs: Map<string, Value> } {
    const args = given.args.map((arg) => this.#value(arg, scope));
    const kwargs = new Map(given.kwargs.map(([name, value]) => [name, this.#value(value, scope)]));
    if (given.rest) args.push(...iterate(this.#value(given.rest, scope)));
    if (given.restNamed) {
      const named = this.#value(given.restNamed, scope);
      if (!(named instanceof Map)) throw new TemplateError(`argument after ** must be a mapping, not ${typeName(named)}`);
      for (const [name, value] of named) kwargs.set(str(name), value);
    }
    return { args, kwargs };
  }

  #call(callee: Value, args: readonly Value[], kwargs: Kwargs): Value {
    this.budget.step();
    if (callee instanceof Undefined) callee.refuse();
    const target = callee instanceof Attributes ? callee.get(CALL) : callee;
    if (!(target instanceof Callable)) throw new TemplateError(`'${typeName(callee)}' object is not callable`);
    return target.call(args, kwargs, this.budget);
  }

  #value(node: Expression, scope: Scope): Value {
    this.budget.step();
    switch (node.type) {
      case 'const':
        return node.value;
      case 'name':
        return orElse(scope.get(node.name), () => {
          if (node.name === 'self' || node.name === 'super') throw missing(node.name);
          return new Undefined(`'${node.name}'`);
        });
      case 'attribute':
        return attributeOf(this.#value(node.of, scope), node.name);
      case 'item':
        return itemOf(this.#value(node.of, scope), this.#value(node.key, scope));
      case 'slice':
        return sliceOf(
          this.#value(node.of, scope),
          node.parts.map((part) => (part ? this.#value(part, scope) : null)),
        );
      case 'call': {
        const callee = this.#value(node.of, scope);
        const { args, kwargs } = this.#arguments(node.with, scope);
        return this.#call(callee, args, kwargs);
      }
      case 'filter': {
        const value = this.#value(node.of!, scope);
        const { args, kwargs } = this.#arguments(node.with, scope);
        return this.filter(node.name, value, args, kwargs);
      }
      case 'test': {
        const value = this.#value(node.of, scope);
        return this.test(node.name, value, this.#arguments(node.with, scope).args);
      }
      case 'not':
        return !truthy(this.#value(node.of, scope));
      case 'negative':
      case 'positive': {
        const value = this.#value(node.of, scope);
        if (value instanceof Undefined) value.refuse();
        if (!isNumber(value))
          throw new TemplateError(`bad operand type for unary ${node.type === 'negative' ? '-' : '+'}: '${typeName(value)}'`);
        const signed = node.type === 'negative' ? -toNumber(value) : toNumber(value);
        return value instanceof Float ? new Float(signed) : signed === 0 ? 0 : signed;
      }
      case 'binary': {
        const left = this.#value(node.left, scope);
        if (node.operator === 'and') return truthy(left) ? this.#value(node.right, scope) : left;
        if (node.operator === 'or') return truthy(left) ? left : this.#value(node.right, scope);
        return binary(node.operator, left, this.#value(node.right, scope), this.budget);
      }
      case 'concat': {
        const text = node.parts.map((part) => str(this.#value(part, scope))).join('');
        this.budget.grow(text.length);
        return text;
      }
      case 'compare': {
        let left = this.#value(node.first, scope);
        for (const [operator, expression] of node.rest) {
          const right = this.#value(expression, scope);
          if (!compared(operator, left, right)) return false;
          left = right;
        }
        return true;
      }
      case 'if':
        if (truthy(this.#value(node.test, scope))) return this.#value(node.then, scope);
        return node.otherwise
          ? this.#value(node.otherwise, scope)
          : new Undefined('the inline if-expression evaluated to false and has no else: its value');
      case 'list':
        return node.items.map((item) => this.#value(item, scope));
      case 'tuple':
        return new Tuple(node.items.map((item) => this.#value(item, scope)));
      case 'dict':
        return new Map(node.entries.map(([key, value]) => [hashable(this.#value(key, scope)), this.#value(value, scope)]));
    }
  }
}

/** The attribute under which a loop keeps how it is called. */
const CALL = '(call)';

function hashable(key: Value): Value {
  if (typeof key === 'boolean') throw missing('True or False as a key');
  if (key === null || typeof key !== 'object') return key;
  throw key instanceof Map || Array.isArray(key)
    ? new TemplateError(`unhashable type: '${typeName(key)}'`)
    : missing(`a key of type ${typeName(key)}`);
}

function compared(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right, operator) < 0;
    case '<=':
      return compare(left, right, operator) <= 0;
    case '>':
      return compare(left, right, operator) > 0;
    default:
      return compare(left, right, operator) >= 0;
  }
}
