// Methods of Python's built-in types, as far as the sandbox lets a template call them. What would change a list or a dict is refused,
// as there.

import { bind, wholeNumber, type Method } from './arguments';
import { missing, TemplateError } from './template-error';
import { Callable, equal, Float, Iterable, orElse, Range, Tuple, typeName, type Dict, type Kwargs, type Value } from './values';
import { TEXT_METHODS } from './text-methods';

type Methods<T> = Readonly<Record<string, Method<T>>>;

const NOTHING: Kwargs = new Map();
const none = (name: string, args: readonly Value[], kwargs: Kwargs = NOTHING): void => void bind(name, [], args, kwargs);

const DICT: Methods<Dict> = {
  get(self, args, kwargs) {
    const [key, fallback = null] = bind('get', ['key', 'default'], args, kwargs);
    return orElse(self.get(key ?? null), () => fallback);
  },
  items(self, args, kwargs) {
    none('items', args, kwargs);
    return new Iterable(
      [...self].map((entry) => new Tuple(entry)),
      'dict_items',
    );
  },
  keys(self, args, kwargs) {
    none('keys', args, kwargs);
    return new Iterable([...self.keys()], 'dict_keys');
  },
  values(self, args, kwargs) {
    none('values', args, kwargs);
    return new Iterable([...self.values()], 'dict_values');
  },
  copy(self, args, kwargs) {
    none('copy', args, kwargs);
    return new Map(self);
  },
};

const items = (self: readonly Value[] | Tuple | Range): readonly Value[] =>
  self instanceof Tuple || self instanceof Range ? self.items : self;

const SEQUENCE: Methods<readonly Value[] | Tuple | Range> = {
  count: (self, [wanted]) => items(self).filter((item) => equal(item, wanted)).length,
  index(self, [wanted, start]) {
    const from = wholeNumber(start, 0, 'index');
    const at = items(self).findIndex((item, i) => i >= from && equal(item, wanted));
    if (at < 0) throw new TemplateError('the value is not in the list');
    return at;
  },
};

const LIST: Methods<Value[]> = {
  ...SEQUENCE,
  copy(self, args, kwargs) {
    none('copy', args, kwargs);
    return [...self];
  },
};

const INT: Methods<number> = {
  bit_length: (self) => (self === 0 ? 0 : Math.abs(self).toString(2).length),
};

const FLOAT: Methods<Float> = {
  is_integer: (self) => Number.isInteger(self.value),
};

/** What Python has and the sandbox refuses, because it changes the value. */
const CHANGING: Readonly<Record<string, ReadonlySet<string>>> = {
  list: new Set(['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove']),
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
};

/** What Python has and this engine does not: named instead of being taken for absent. */
const NOT_BUILT: Readonly<Record<string, ReadonlySet<string>>> = {
  str: new Set(['encode', 'maketrans', 'translate', 'format_map']),
  int: new Set(['as_integer_ratio', 'conjugate', 'denominator', 'from_bytes', 'imag', 'numerator', 'real', 'to_bytes', 'bit_count']),
  float: new Set(['as_integer_ratio', 'conjugate', 'fromhex', 'hex', 'imag', 'real']),
  dict: new Set(['fromkeys']),
};

function methodsOf(value: Value): Methods<never> | null {
  if (typeof value === 'string') return TEXT_METHODS;
  if (value instanceof Map) return DICT;
  if (Array.isArray(value)) return LIST;
  if (value instanceof Tuple || value instanceof Range) return SEQUENCE;
  if (value instanceof Float) return FLOAT;
  return typeof value === 'number' ? INT : null;
}

/** A method bound to its value; undefined if the type has none of that name. */
export function methodOf(value: Value, name: string): Value | undefined {
  const type = typeName(value);
  if (CHANGING[type]?.has(name))
    return new Callable(name, () => {
      throw new TemplateError(`changing a ${type} (${name}) is not allowed in templates`);
    });
  if (NOT_BUILT[type]?.has(name)) throw missing(`the method ${name} of ${type}`);
  const methods = methodsOf(value);
  if (!methods || !Object.hasOwn(methods, name)) return undefined;
  const method = methods[name] as Method<Value>;
  return new Callable(name, (args, kwargs, budget) => method(value, args, kwargs, budget));
}
