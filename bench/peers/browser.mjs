// What these libraries expect of a current browser, in Node 20: navigator with Dawn's GPU, Float16Array by name, and
// iterators with map(). The `webgpu` package is the project's own, so that all run on the same Dawn and the same adapter.

import { create, globals } from 'webgpu';

export function actAsBrowser() {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  // Kept: Dawn's instance lives in this object.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node', hardwareConcurrency: 2 }, configurable: true });
  // Only compared with `instanceof` here: these measurements use no half-precision numbers.
  globalThis.Float16Array ??= class Float16Array {};
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  const helpers = {
    *map(change) {
      let at = 0;
      for (const item of this) yield change(item, at++);
    },
    *filter(keep) {
      let at = 0;
      for (const item of this) if (keep(item, at++)) yield item;
    },
    toArray() {
      return [...this];
    },
  };
  for (const [name, value] of Object.entries(helpers)) {
    if (!(name in iterator)) Object.defineProperty(iterator, name, { value, writable: true, configurable: true });
  }
}
