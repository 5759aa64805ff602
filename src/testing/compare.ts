/**
 * Comparison helpers shared by the kernel tests: how far a kernel's output is
 * from a float64 reference, and seeded random inputs so that a failure repeats.
 */

/** Smallest magnitude the errors are measured against, so an all-zero reference does not divide by zero. */
const TINY = 1e-30;

function sameLength(got: ArrayLike<number>, want: ArrayLike<number>): void {
  if (got.length !== want.length) throw new RangeError(`compared arrays differ in length: ${got.length} against ${want.length}`);
}

/** max|got − want| / max|want|. NaN anywhere in either makes the result NaN, which fails every `toBeLessThan`. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  sameLength(got, want);
  let error = 0;
  let scale = TINY;
  for (let i = 0; i < want.length; i++) {
    const w = want[i];
    const difference = Math.abs(got[i] - w);
    if (Number.isNaN(difference)) return NaN;
    error = Math.max(error, difference);
    scale = Math.max(scale, Math.abs(w));
  }
  return error / scale;
}

/** ‖got − want‖₂ / ‖want‖₂, summed in float64. NaN anywhere makes the result NaN. */
export function relativeErrorL2(got: ArrayLike<number>, want: ArrayLike<number>): number {
  sameLength(got, want);
  let error = 0;
  let scale = 0;
  for (let i = 0; i < want.length; i++) {
    const difference = got[i] - want[i];
    error += difference * difference;
    scale += want[i] * want[i];
  }
  return Math.sqrt(error) / Math.max(Math.sqrt(scale), TINY);
}

/** A uniform generator on [0, 1) with a 32-bit state (mulberry32): the same seed gives the same sequence everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `n` values uniform on [−1, 1), rounded to f32. */
export function randomArray(n: number, seed: number): Float32Array<ArrayBuffer> {
  const next = seededRandom(seed);
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = next() * 2 - 1;
  return out;
}
