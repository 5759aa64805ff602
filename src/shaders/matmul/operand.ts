// How a kernel reads and writes its operands, apart from what it computes. A snippet declares the binding and
// gives load_<name>(address, left) → vec4f and <NAME>_QUAD, the addresses that four elements take. With another
// snippet, a kernel reads another storage format.

import type { Stored } from '../../dispatch/types';
import loadBf16 from './load_bf16.wgsl?raw';
import loadF16 from './load_f16.wgsl?raw';
import loadInt4 from './load_int4.wgsl?raw';
import loadInt8 from './load_int8.wgsl?raw';
import loadNone from './load_none.wgsl?raw';
import loadScalar from './load_scalar.wgsl?raw';
import loadVec4 from './load_vec4.wgsl?raw';
import storeScalar from './store_scalar.wgsl?raw';
import storeVec4 from './store_vec4.wgsl?raw';

/** vec4: f32 quads, rows on multiples of four elements. scalar: f32 of any shape. */
export type Format = 'vec4' | 'scalar';
/** Packed: quads of 16-bit floats, two a word; or of integers in groups with a scale. */
export type LoadFormat = Format | Stored;

const LOADS: Readonly<Record<LoadFormat | 'none', string>> = {
  vec4: loadVec4,
  scalar: loadScalar,
  f16: loadF16,
  bf16: loadBf16,
  int8: loadInt8,
  int4: loadInt4,
  none: loadNone,
};
const STORES: Readonly<Record<Format, string>> = { vec4: storeVec4, scalar: storeScalar };
const ELEMENTS_PER_ADDRESS: Readonly<Record<LoadFormat, number>> = { vec4: 4, scalar: 1, f16: 4, bf16: 4, int8: 4, int4: 4 };

/** WGSL that reads input `name` at `binding`; 'none' declares no binding and reads zeros. */
export function loadSnippet(name: string, binding: number, format: LoadFormat | 'none'): string {
  return LOADS[format]
    .replaceAll('OPERAND_BINDING', String(binding))
    .replaceAll('OPERAND_QUAD', `${name.toUpperCase()}_QUAD`)
    .replaceAll('OPERAND', name);
}

/** WGSL that reads and writes output y at binding 2. */
export function storeSnippet(format: Format): string {
  return STORES[format];
}

/** An element offset or stride in the addresses of `format`. */
export const unitsOf = (format: LoadFormat, elements: number): number => elements / ELEMENTS_PER_ADDRESS[format];
