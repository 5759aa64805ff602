// The plain reference of storage.ts: rounding by arithmetic on values in float64, not on bits.

import type { Half, Quantised } from '../../dispatch/types';

/** By type: the bits of the fraction, the smallest exponent of a normal number, and the largest finite number. */
const TYPES: Readonly<Record<Half, { readonly fraction: number; readonly lowest: number; readonly largest: number }>> = {
  f16: { fraction: 10, lowest: -14, largest: 65504 },
  bf16: { fraction: 7, lowest: -126, largest: (2 - 2 ** -7) * 2 ** 127 },
};

/** The number of `type` nearest to x. Of two equally near ones it is the even one; beyond the largest number it is the largest. */
export function roundedRef(x: number, type: Half): number {
  const { fraction, lowest, largest } = TYPES[type];
  if (x === 0 || Number.isNaN(x)) return x;
  const exponent = Math.max(lowest, Math.min(127, exponentOf(Math.abs(x))));
  const unit = 2 ** (exponent - fraction);
  const units = Math.abs(x) / unit;
  const below = Math.floor(units);
  const rest = units - below;
  const rounded = below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
  return Math.sign(x) * Math.min(largest, rounded * unit);
}

/** e with 2^e ≤ x < 2^(e+1). */
function exponentOf(x: number): number {
  let exponent = Math.floor(Math.log2(x));
  if (2 ** exponent > x) exponent--;
  if (2 ** (exponent + 1) <= x) exponent++;
  return exponent;
}

/** The value of a 16-bit code, by its definition. */
export function valueRef(code: number, type: Half): number {
  const { fraction, lowest } = TYPES[type];
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code & 0x7fff) >> fraction;
  const rest = (code & ((1 << fraction) - 1)) / 2 ** fraction;
  if (exponent === (type === 'f16' ? 0x1f : 0xff)) return rest === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? rest * 2 ** lowest : (1 + rest) * 2 ** (exponent - 1 + lowest));
}

/** Elements that share a scale. */
export const GROUP = 32;

export interface QuantisedRef {
  /** One per group, as f16 stores 256 · scale. */
  readonly scales: Float64Array;
  readonly codes: Int8Array;
}

const LIMITS: Readonly<Record<Quantised, readonly [number, number]>> = { int8: [-127, 127], int4: [-8, 7] };

/** The codes of values for a scale; halfway between two codes it is the even one. */
function codesRef(group: readonly number[], scale: number, type: Quantised): number[] {
  const [lowest, highest] = LIMITS[type];
  return group.map((x) => {
    const below = Math.floor(x / scale);
    const rest = x / scale - below;
    const nearest = below + (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? 1 : 0);
    return Math.max(lowest, Math.min(highest, nearest));
  });
}

/** A scale as it is stored. */
const scaleRef = (scale: number): number => (Math.sign(scale) || 1) * (roundedRef(Math.max(256 * Math.abs(scale), 2 ** -14), 'f16') / 256);

/** What storage_quantise.wgsl does, in float64. n % 64 == 0. */
export function quantiseRef(x: ArrayLike<number>, type: Quantised): QuantisedRef {
  const scales = new Float64Array(x.length / GROUP);
  const codes = new Int8Array(x.length);
  for (let at = 0; at < scales.length; at++) {
    const group = Array.from({ length: GROUP }, (_, i) => x[at * GROUP + i]);
    const most = group.reduce((largest, value) => (Math.abs(value) > Math.abs(largest) ? value : largest), 0);
    const candidates = type === 'int8' ? [Math.abs(most) / 127] : Array.from({ length: 13 }, (_, i) => -most / (7 + i / 4));
    const errors = candidates.map((scale) => {
      const stored = type === 'int4' && most === 0 ? -scaleRef(0) : scaleRef(scale);
      return { stored, error: squaredError(group, stored, type) };
    });
    const best = errors.reduce((least, each) => (each.error < least.error ? each : least));
    scales[at] = best.stored;
    codes.set(codesRef(group, best.stored, type), at * GROUP);
  }
  return { scales, codes };
}

export function squaredError(group: readonly number[], scale: number, type: Quantised): number {
  return codesRef(group, scale, type).reduce((sum, code, i) => sum + (group[i] - code * scale) ** 2, 0);
}

/** Reads scales and codes from the words that the kernel wrote. */
export function readQuantised(words: Uint32Array, elements: number, type: Quantised): QuantisedRef {
  const bits = type === 'int8' ? 8 : 4;
  const perWord = 32 / bits;
  const stride = 1 + 64 / perWord;
  const scales = new Float64Array(elements / GROUP);
  const codes = new Int8Array(elements);
  for (let i = 0; i < elements; i++) {
    const block = Math.floor(i / 64) * stride;
    const inside = i % 64;
    const word = words[block + 1 + Math.floor(inside / perWord)];
    codes[i] = (word << (32 - bits * ((inside % perWord) + 1))) >> (32 - bits);
    if (i % GROUP === 0) scales[i / GROUP] = valueRef((words[block] >>> (inside >= GROUP ? 16 : 0)) & 0xffff, 'f16') / 256;
  }
  return { scales, codes };
}

/** The values that the codes stand for. */
export const dequantiseRef = ({ scales, codes }: QuantisedRef): Float64Array =>
  Float64Array.from(codes, (code, i) => code * scales[Math.floor(i / GROUP)]);
