import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, narrow, type HalfDtype } from './half';

// The oracle is arithmetic on doubles: sign · 2^exponent · mantissa, straight from the definitions of the formats.
const FORMATS = {
  f16: { exponentBits: 5, mantissaBits: 10 },
  bf16: { exponentBits: 8, mantissaBits: 7 },
} as const;

function valueOf(code: number, dtype: HalfDtype): number {
  const { exponentBits, mantissaBits } = FORMATS[dtype];
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = code & (2 ** mantissaBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * mantissa * 2 ** (1 - bias - mantissaBits)
    : sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}

const widen = (codes: Uint16Array, dtype: HalfDtype): Float32Array => (dtype === 'f16' ? f16ToF32(codes) : bf16ToF32(codes));
const ALL = Uint16Array.from({ length: 65_536 }, (_, code) => code);

describe.each(['f16', 'bf16'] as const)('%s', (dtype) => {
  const positives: number[] = [];
  for (let code = 0; code < 0x8000 && Number.isFinite(valueOf(code, dtype)); code++) positives.push(valueOf(code, dtype));
  const maximum = positives.at(-1)!;
  const infinity = positives.length;
  // The value that the code after the largest one would have if it were not infinity.
  const beyond = 2 * maximum - positives.at(-2)!;

  /** Nearest code by search, ties to the even one. */
  function nearest(x: number): number {
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
    const magnitude = Math.abs(x);
    let low = 0;
    let high = infinity;
    const at = (code: number): number => (code === infinity ? beyond : positives[code]);
    if (magnitude >= beyond) return sign | infinity;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at(middle) <= magnitude) low = middle;
      else high = middle;
    }
    const below = magnitude - at(low);
    const above = at(high) - magnitude;
    return sign | (below < above || (below === above && low % 2 === 0) ? low : high);
  }

  it('widens all 65,536 codes exactly', () => {
    const wide = widen(ALL, dtype);
    let wrong = 0;
    for (let code = 0; code < 65_536; code++) if (!Object.is(wide[code], valueOf(code, dtype))) wrong++;
    expect(wrong).toBe(0);
  });

  it('narrows all 65,536 widened codes to themselves; a NaN stays a NaN of its sign', () => {
    const back = narrow(widen(ALL, dtype), dtype);
    let wrong = 0;
    for (let code = 0; code < 65_536; code++) {
      const same = Number.isNaN(valueOf(code, dtype))
        ? Number.isNaN(valueOf(back[code], dtype)) && (back[code] & 0x8000) === (code & 0x8000)
        : back[code] === code;
      if (!same) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('rounds to nearest even at, just below and just above every midpoint', () => {
    const inputs: number[] = [];
    for (let code = 0; code < infinity; code++) {
      const middle = (positives[code] + (positives[code + 1] ?? beyond)) / 2;
      // Midpoints are f32 values: both formats have far fewer bits, except under the smallest f32 subnormal.
      const f32 = new Float32Array([middle]);
      const bits = new Uint32Array(f32.buffer);
      for (const step of [-1, 0, 1]) {
        const shifted = new Float32Array(Uint32Array.of(bits[0] + step).buffer)[0];
        inputs.push(shifted, -shifted);
      }
    }
    const codes = narrow(Float32Array.from(inputs), dtype);
    let wrong = 0;
    for (const [i, x] of inputs.entries()) if (codes[i] !== nearest(x)) wrong++;
    expect(inputs.length).toBeGreaterThan(180_000);
    expect(wrong).toBe(0);
  });

  it('rounds arbitrary f32 patterns as the oracle does', () => {
    let state = 12345;
    const bits = Uint32Array.from({ length: 100_000 }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0));
    const values = new Float32Array(bits.buffer);
    const codes = narrow(values, dtype);
    let wrong = 0;
    for (const [i, x] of values.entries()) {
      if (Number.isNaN(x) ? !Number.isNaN(valueOf(codes[i], dtype)) : codes[i] !== nearest(x)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

it('rounds the cases that are known by heart', () => {
  const f16 = [
    65504,
    65519.99609375,
    65520,
    -65520,
    2 ** -24,
    2 ** -25,
    2 ** -25 * 1.0000001,
    2 ** -14,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    0,
    -0,
    Infinity,
    1e38,
  ];
  expect([...narrow(Float32Array.from(f16), 'f16')]).toEqual([
    0x7bff, 0x7bff, 0x7c00, 0xfc00, 1, 0, 1, 0x400, 0x3c00, 0x3c02, 0, 0x8000, 0x7c00, 0x7c00,
  ]);
  const bf16 = [1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4028234663852886e38, 2 ** -133, 2 ** -134, -Infinity];
  expect([...narrow(Float32Array.from(bf16), 'bf16')]).toEqual([0x3f80, 0x3f82, 0x7f80, 1, 0, 0xff80]);
});
