// A kernel: WGSL text with its constants filled in, and what can be read off the text (bindings, params).
// The text is the single source: binding names, access and the Params struct are parsed from it, so a
// wrapper can name what it binds and a wrong name is an error here instead of wrong data on the GPU.

import { AppError } from '../base/errors';
import type { Grid, Work } from './extents';
import prelude from './prelude.wgsl?raw';
import { elementBytes, type Dispatch, type Kernel, type KernelBinding, type KernelParam, type View } from './types';

/** Codes of the extents that WGSL knows by number (prelude.wgsl). */
export const EXTENT_CODES = { none: 0, rows: 1, targets: 2 } as const;

const cache = new Map<string, Kernel>();

/** Text of a kernel, or what makes it if that takes long. */
type Part = string | (() => string);

/**
 * Builds the kernel `name` from WGSL parts, after the prelude and the integer constants, each as `const NAME = 4u;`. They are text
 * constants and not overrides, because sizes of private arrays cannot be overrides. Memoised: equal arguments give the same object.
 */
export function kernel(name: string, parts: readonly Part[], constants: Readonly<Record<string, number>> = {}, variant = ''): Kernel {
  const settings = Object.keys(constants)
    .sort()
    .map((key) => `${key}=${constants[key]}`)
    .join(',');
  const key = `${name}${variant && `.${variant}`}[${settings}]`;
  const known = cache.get(key);
  if (known) return known;
  const consts = Object.entries(constants)
    .map(([label, value]) => `const ${label} = ${value}u;\n`)
    .join('');
  const body = parts.map((part) => (typeof part === 'string' ? part : part())).join('\n');
  const made: Kernel = {
    key,
    name,
    wgsl: `${consts}${prelude}\n${body}`,
    bindings: parseBindings(name, body),
    params: parseParams(body),
  };
  cache.set(key, made);
  return made;
}

function parseBindings(name: string, body: string): KernelBinding[] {
  const found: KernelBinding[] = [];
  const pattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:\s*array<(\w+)/g;
  for (const [, binding, access, label, type] of body.matchAll(pattern)) {
    found.push({ binding: Number(binding), name: label, access: access as KernelBinding['access'], type });
  }
  const numbers = new Set(found.map((b) => b.binding));
  if (numbers.size !== found.length || found.some((b) => b.binding < 2)) {
    throw new AppError('INTERNAL', `Kernel ${name}: storage bindings must be distinct and start at 2.`, '');
  }
  return found.sort((a, b) => a.binding - b.binding);
}

function parseParams(body: string): KernelParam[] {
  const struct = /struct Params \{([^}]*)\}/.exec(body);
  if (!struct) return [];
  return [...struct[1].matchAll(/^\s*(\w+):\s*(u32|f32)/gm)].map(([, name, type]) => ({ name, type: type as KernelParam['type'] }));
}

/** A dispatch of `of`, with views and params by name. Throws if a name is missing or unknown. */
export function dispatch(
  of: Kernel,
  label: string,
  views: Readonly<Record<string, View>>,
  params: Readonly<Record<string, number>>,
  grid: Grid,
  work: Work,
): Dispatch {
  for (const name of Object.keys(views)) {
    if (!of.bindings.some((b) => b.name === name)) throw shapeError(of.name, name, 'no such binding', 'a view');
  }
  const ordered = of.bindings.map((b) => {
    const view = views[b.name];
    if (!view) throw shapeError(of.name, b.name, 'a view', 'nothing');
    // A kernel for packed floats reads them as words; any other kernel would read two of them as one number.
    if (view.stored && !/^(u32|vec2u)$/.test(b.type)) throw shapeError(of.name, b.name, 'f32', `packed ${view.stored}`);
    return view;
  });
  return { kernel: of, label, views: ordered, params: packParams(of, params), grid, work };
}

function packParams(of: Kernel, params: Readonly<Record<string, number>>): Uint8Array {
  const packed = new DataView(new ArrayBuffer(Math.max(16, Math.ceil(of.params.length / 4) * 16)));
  of.params.forEach(({ name, type }, at) => {
    const value = params[name];
    if (value === undefined || Number.isNaN(value)) throw shapeError(of.name, name, type, String(value));
    if (type === 'u32') {
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw shapeError(of.name, name, type, String(value));
      packed.setUint32(at * 4, value, true);
    } else {
      packed.setFloat32(at * 4, value, true);
    }
  });
  const names = Object.keys(params);
  if (names.length > of.params.length) {
    const unknown = names.find((name) => !of.params.some((p) => p.name === name)) ?? '';
    throw shapeError(of.name, unknown, 'no such param', 'a value');
  }
  return new Uint8Array(packed.buffer);
}

export function shapeError(kernelName: string, binding: string, expected: string, got: string): AppError {
  return new AppError(
    'SHAPE_MISMATCH',
    `Kernel ${kernelName}, ${binding}: expected ${expected}, got ${got}.`,
    'This is a fault of LISA Studio. Please report it.',
  );
}

/** Throws unless `view` holds at least `elements` elements of its type. */
export function expectElements(kernelName: string, binding: string, view: View, elements: number): void {
  const bytes = elements * elementBytes(view);
  if (view.bytes < bytes) throw shapeError(kernelName, binding, `≥ ${bytes} bytes`, `${view.bytes} bytes of ${view.buffer.name}`);
}

/** Workgroups in a dimension of a grid, under every device's limit. Kernels name it as 65535u. */
export const MAX_GROUPS = 65535;

/** Grid of a one-dimensional launch of `groups` workgroups, folded into y past 65,535. WGSL: id.y * 65535u + id.x. */
export function foldedGrid(groups: number): Grid {
  return groups <= MAX_GROUPS ? [groups, 1, 1] : [MAX_GROUPS, Math.ceil(groups / MAX_GROUPS), 1];
}
