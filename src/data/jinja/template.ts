// A Jinja template as transformers' apply_chat_template sets it up: jinja2 3.1, sandboxed, trim_blocks, lstrip_blocks, loop controls,
// its tojson, and the generation tag. The reference is jinja2's documentation and behaviour; tools/jinja compares the two.

import { text, wholeNumber } from './arguments';
import { Interpreter } from './interpreter';
import { parseTemplate } from './parser';
import { Scope } from './scope';
import { strftime } from './strftime';
import { missing, TemplateError } from './template-error';
import { Attributes, Callable, fromData, iterate, Namespace, Range, Undefined, type Value } from './values';

export { TemplateError } from './template-error';

/** The largest range of the sandbox. */
const MAX_RANGE = 100_000;

function range(args: readonly Value[]): Value {
  const [first, second, third] = args.map((value) => wholeNumber(value, 0, 'range'));
  const [start, stop, step] = args.length === 1 ? [0, first, 1] : [first, second, args.length > 2 ? third : 1];
  if (args.length === 0 || args.length > 3) throw new TemplateError(`range expected 1 to 3 arguments, got ${args.length}`);
  if (step === 0) throw new TemplateError('range() arg 3 must not be zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_RANGE) throw new TemplateError(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`);
  return new Range(start, stop, step, length);
}

function dict(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Map<Value, Value> {
  const [from = new Map()] = args;
  const pairs = from instanceof Map ? [...from] : iterate(from).map((pair) => [...iterate(pair)] as [Value, Value]);
  return new Map<Value, Value>([...pairs, ...kwargs]);
}

function cycler(items: readonly Value[]): Value {
  let at = 0;
  return new Attributes((name) => {
    if (name === 'current') return items[at % items.length];
    if (name === 'reset') return new Callable(name, () => ((at = 0), null));
    return name === 'next' ? new Callable(name, () => items[at++ % items.length]) : undefined;
  });
}

function joiner([by = ', ']: readonly Value[]): Value {
  let used = false;
  return new Callable('joiner', () => {
    const out = used ? by : '';
    used = true;
    return out;
  });
}

export class Template {
  readonly #body: ReturnType<typeof parseTemplate>['body'];
  /** Every name, attribute and text in the template's tags: what it may look at. */
  readonly mentions: ReadonlySet<string>;

  /** Throws TemplateError with the line if the template cannot be read. */
  constructor(source: string) {
    const { body, mentions } = parseTemplate(source);
    this.#body = body;
    this.mentions = mentions;
  }

  /** `names`: plain data by name. `today`: what strftime_now tells. Throws TemplateError. */
  render(names: Readonly<Record<string, unknown>>, today: Date): string {
    const scope = new Scope();
    const functions: readonly Callable[] = [
      new Callable('range', range),
      new Callable('dict', dict),
      new Callable('namespace', (args, kwargs) => new Namespace(dict(args, kwargs))),
      new Callable('cycler', cycler),
      new Callable('joiner', joiner),
      new Callable('lipsum', () => {
        throw missing('lipsum');
      }),
      new Callable('raise_exception', ([reason = '']) => {
        throw new TemplateError(reason instanceof Undefined ? '' : text(reason, 'raise_exception'));
      }),
      new Callable('strftime_now', ([format]) => strftime(today, text(format, 'strftime_now'))),
    ];
    for (const callable of functions) scope.set(callable.name, callable);
    for (const [name, value] of Object.entries(names)) if (value !== undefined) scope.set(name, fromData(value));
    try {
      return new Interpreter(scope).render(this.#body);
    } catch (error) {
      // A stack that is used up in spite of the limits is the template's doing.
      throw error instanceof RangeError ? new TemplateError('the template nests too deep') : error;
    }
  }
}
