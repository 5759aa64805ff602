// How heads lie in the fused q, k, v activation, and which of the two ways of reading rows fits a size.

import { shapeError } from '../../dispatch/kernel';
import lane1Wgsl from './attention_lane1.wgsl?raw';
import lane4Wgsl from './attention_lane4.wgsl?raw';
import put1Wgsl from './attention_put1.wgsl?raw';
import put4Wgsl from './attention_put4.wgsl?raw';
import quad1Wgsl from './attention_quad1.wgsl?raw';
import quad4Wgsl from './attention_quad4.wgsl?raw';

export interface HeadSizes {
  /** H: query heads. */
  readonly heads: number;
  /** K: key and value heads; divides H. Query head h uses kv head floor(h / (H / K)). */
  readonly kvHeads: number;
  /** D. */
  readonly headDim: number;
}

/** Widths in elements of a row of qkv and of o. Throws SHAPE_MISMATCH when the kv heads do not divide the heads. */
export function headLayout(kernelName: string, { heads, kvHeads, headDim }: HeadSizes): { width: number; outWidth: number } {
  if (![heads, kvHeads, headDim].every((size) => Number.isInteger(size) && size > 0)) {
    throw shapeError(kernelName, 'heads, kvHeads, headDim', 'positive whole numbers', `${heads}, ${kvHeads}, ${headDim}`);
  }
  if (heads % kvHeads !== 0) throw shapeError(kernelName, 'heads', `a multiple of the ${kvHeads} kv heads`, String(heads));
  return { width: (heads + 2 * kvHeads) * headDim, outWidth: heads * headDim };
}

/** WGSL that defines Lane, the unit in which rows of `size` elements are read, and its width in elements. */
export function laneSource(size: number): { wgsl: string; width: number } {
  return size % 4 === 0 ? { wgsl: lane4Wgsl, width: 4 } : { wgsl: lane1Wgsl, width: 1 };
}

/** WGSL of <name>_quad(at, quad): quads of rows of the array `name`. */
export const quadSource = (size: number, name: string): string => (size % 4 === 0 ? quad4Wgsl : quad1Wgsl).replaceAll('SOURCE', name);

/** WGSL of put_<name>(at, quad, value). */
export const putSource = (size: number, name: string): string => (size % 4 === 0 ? put4Wgsl : put1Wgsl).replaceAll('SOURCE', name);
