// 16-bit floats: IEEE 754 binary16 (F16) and bfloat16 (BF16) to and from f32. Widening is exact. Narrowing rounds to
// nearest, ties to even, with subnormals; a value that is too large becomes infinity. All work is on bit patterns, so nothing depends on
// how the JavaScript engine passes NaNs.

export type HalfDtype = 'f16' | 'bf16';

let f16Table: Uint32Array | null = null;

/** f32 bit patterns of all 65,536 F16 codes. */
function f16Widened(): Uint32Array {
  if (f16Table) return f16Table;
  const table = new Uint32Array(65_536);
  for (let code = 0; code < 65_536; code++) {
    const sign = (code & 0x8000) << 16;
    let exponent = (code >>> 10) & 0x1f;
    let mantissa = code & 0x3ff;
    if (exponent === 0x1f) {
      table[code] = sign | 0x7f80_0000 | (mantissa << 13);
    } else if (exponent === 0 && mantissa === 0) {
      table[code] = sign;
    } else {
      if (exponent === 0) {
        // Subnormal: shift until the leading one stands where the hidden bit of a normal number would.
        exponent = 1;
        for (; (mantissa & 0x400) === 0; mantissa <<= 1) exponent--;
        mantissa &= 0x3ff;
      }
      // Exponent bias 15 → 127.
      table[code] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    }
  }
  f16Table = table;
  return table;
}

export function f16ToF32(codes: Uint16Array): Float32Array<ArrayBuffer> {
  const table = f16Widened();
  const bits = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) bits[i] = table[codes[i]]!;
  return new Float32Array(bits.buffer);
}

export function bf16ToF32(codes: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) bits[i] = codes[i] << 16;
  return new Float32Array(bits.buffer);
}

/** F16 code of an f32 bit pattern. */
function f16Code(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // From 65,520 up, halfway between the largest half and the next power of two, everything rounds to infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  // From 2^-14 up: normal. Add just under half a unit, and the last kept bit for ties; the carry may bump the exponent.
  if (magnitude >= 0x3880_0000) return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Up to 2^-25 (half the smallest subnormal, a tie with the even zero): zero.
  if (magnitude <= 0x3300_0000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7f_ffff) | 0x80_0000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** BF16 code of an f32 bit pattern. */
function bf16Code(bits: number): number {
  // Rounding could carry a NaN's mantissa into infinity or zero, so a NaN is cut and made quiet.
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

export function narrow(data: Float32Array, dtype: HalfDtype): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const codes = new Uint16Array(data.length);
  if (dtype === 'f16') for (let i = 0; i < codes.length; i++) codes[i] = f16Code(bits[i]);
  else for (let i = 0; i < codes.length; i++) codes[i] = bf16Code(bits[i]);
  return codes;
}

/** Like narrow(), but a value that is too large becomes the largest finite number of its sign. Weights on the GPU are rounded like this. */
export function narrowFinite(data: Float32Array, dtype: HalfDtype): Uint16Array<ArrayBuffer> {
  const infinity = dtype === 'f16' ? 0x7c00 : 0x7f80;
  const codes = narrow(data, dtype);
  for (let i = 0; i < codes.length; i++) if ((codes[i] & 0x7fff) === infinity) codes[i]--;
  return codes;
}
