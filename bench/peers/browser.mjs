// What these libraries expect of a browser, in Node: navigator with Dawn's GPU, and Float16Array by name. The `webgpu`
// package is the project's own, so that all are measured on the same Dawn and the same adapter.

import { create, globals } from 'webgpu';

export function actAsBrowser() {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  // Kept: Dawn's instance lives in this object.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node', hardwareConcurrency: 2 }, configurable: true });
  // Only compared with `instanceof` here: nothing in these measurements is a half.
  globalThis.Float16Array ??= class Float16Array {};
}
