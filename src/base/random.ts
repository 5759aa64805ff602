// The project's own seeded random numbers: the same bits in every browser and in Node, for ever (random.test.ts
// holds fixed values). A stream is a pure function of (seed, keys), so "layers of period 7" or "order of epoch 3"
// can be asked for in any order and after a resume, and drawing from one stream never moves another.
//
// Generator: xoshiro128** 1.1 (Blackman and Vigna, prng.di.unimi.it). Its 128 bits of state are four
// MurmurHash3 x86_32 hashes (Appleby) of the seed and keys under four different hash seeds.

import { AppError } from './errors';

/** Arrays and typed arrays alike. */
interface Indexed<T> {
  readonly length: number;
  [index: number]: T;
}

export interface RandomStream {
  /** Uniform over 0 … 2³² − 1. */
  nextU32(): number;
  /** Uniform over the multiples of 2⁻⁵³ in [0, 1). Takes two draws. */
  nextFloat(): number;
  /** Uniform over 0 … n − 1 without bias, 1 ≤ n ≤ 2³². */
  nextBelow(n: number): number;
  /** Fisher-Yates, in place; every order equally likely. Returns its argument. */
  shuffle<A extends Indexed<unknown>>(array: A): A;
  /** The same shuffle, to the same order, in steps: yields its progress now and then. */
  shuffling<A extends Indexed<unknown>>(array: A): Generator<number, A>;
  /** Mean 0, variance 1 (Box-Muller). Uses Math.log and Math.cos, whose last bit may differ between engines. */
  normal(): number;
}

const rotl = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** MurmurHash3 x86_32 of whole 32-bit words. Unsigned. */
export function murmur3(words: readonly number[], seed: number): number {
  let h = seed | 0;
  for (const word of words) {
    h ^= Math.imul(rotl(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
    h = (Math.imul(rotl(h, 13), 5) + 0xe6546b64) | 0;
  }
  h ^= words.length * 4;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** xoshiro128** from a state that is not all zero; the array is the state from then on. */
export function xoshiro128ss(state: Uint32Array): () => number {
  return () => {
    const result = Math.imul(rotl(Math.imul(state[1], 5), 7), 9) >>> 0;
    const t = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 11);
    return result;
  };
}

/** Words of a key, with its type and length, so that no two lists of keys have the same words. */
function keyWords(key: number | string): number[] {
  if (typeof key === 'string') return [2, key.length, ...Array.from({ length: key.length }, (_, i) => key.charCodeAt(i))];
  if (Number.isNaN(key)) throw new AppError('INTERNAL', 'A key of a random stream is not a number.', '');
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, key + 0);
  return [1, view.getUint32(0), view.getUint32(4)];
}

/** Items between two steps of a long shuffle. */
const SHUFFLED_A_STEP = 2 ** 14;

const LANE_SEEDS = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667];

/** The stream of (seed, keys). Any finite numbers and strings do as keys; 1 and '1' are different keys. */
export function randomStream(seed: number, ...keys: readonly (number | string)[]): RandomStream {
  const words = [seed, ...keys].flatMap(keyWords);
  const state = Uint32Array.from(LANE_SEEDS, (lane) => murmur3(words, lane));
  if (state.every((word) => word === 0)) state[0] = 1;
  const nextU32 = xoshiro128ss(state);

  const nextFloat = (): number => {
    const high = nextU32() >>> 5;
    return (high * 2 ** 26 + (nextU32() >>> 6)) / 2 ** 53;
  };

  const nextBelow = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new AppError('INTERNAL', `There is no random number below ${n}.`, '');
    const limit = 2 ** 32 - (2 ** 32 % n);
    let drawn = nextU32();
    while (drawn >= limit) drawn = nextU32();
    return drawn % n;
  };

  const shuffling = function* <A extends Indexed<unknown>>(array: A): Generator<number, A> {
    const items: Indexed<unknown> = array;
    for (let i = items.length - 1; i > 0; i--) {
      const j = nextBelow(i + 1);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
      if (i % SHUFFLED_A_STEP === 0) yield 1 - i / items.length;
    }
    return array;
  };

  const shuffle = <A extends Indexed<unknown>>(array: A): A => {
    for (const _ of shuffling(array));
    return array;
  };

  const normal = (): number => Math.sqrt(-2 * Math.log(1 - nextFloat())) * Math.cos(2 * Math.PI * nextFloat());

  return { nextU32, nextFloat, nextBelow, shuffle, shuffling, normal };
}
