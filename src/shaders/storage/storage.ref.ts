// The plain reference of storage.ts: rounding by arithmetic on values in float64, not on bits.

import type { Stored } from '../../dispatch/types';

/** Bits of the fraction, smallest exponent of a normal number, largest finite number. */
const TYPES: Readonly<Record<Stored, { readonly fraction: number; readonly lowest: number; readonly largest: number }>> = {
  f16: { fraction: 10, lowest: -14, largest: 65504 },
  bf16: { fraction: 7, lowest: -126, largest: (2 - 2 ** -7) * 2 ** 127 },
};

/** The number of `type` next to x; of two equally near the even one; the largest where none is. */
export function roundedRef(x: number, type: Stored): number {
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
export function valueRef(code: number, type: Stored): number {
  const { fraction, lowest } = TYPES[type];
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code & 0x7fff) >> fraction;
  const rest = (code & ((1 << fraction) - 1)) / 2 ** fraction;
  if (exponent === (type === 'f16' ? 0x1f : 0xff)) return rest === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? rest * 2 ** lowest : (1 + rest) * 2 ** (exponent - 1 + lowest));
}
