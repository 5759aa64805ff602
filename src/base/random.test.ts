// The generator must never change: checkpoints and published results depend on its bits. The algorithms' test vectors come from their
// authors or from other implementations; the values of randomStream are ours and are fixed here.

import { describe, expect, it } from 'vitest';
import { murmur3, randomStream, xoshiro128ss } from './random';

const take = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

describe('the algorithms', () => {
  it('MurmurHash3 gives the published values', () => {
    expect(murmur3([], 0)).toBe(0);
    expect(murmur3([], 1)).toBe(0x514e28b7);
    expect(murmur3([], 0xffffffff)).toBe(0x81f16f39);
    expect(murmur3([0], 0)).toBe(0x2362f9de);
    expect(murmur3([0xffffffff], 0)).toBe(0x76293b50);
    expect(murmur3([0x87654321], 0)).toBe(0xf55b516b);
    expect(murmur3([0x87654321], 0x5082edee)).toBe(0x2362f9de);
  });

  it('xoshiro128** gives the reference sequence from state 1, 2, 3, 4', () => {
    expect(take(10, xoshiro128ss(Uint32Array.of(1, 2, 3, 4)))).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });
});

const FIXED = {
  epoch: [3893856020, 2285409016, 3081932562, 1157325506],
  bare: [3028462537, 3276984043, 1267869701, 3388066477],
  float: [0.45691303578702946, 0.9407821773302816],
  below10: [6, 1, 6, 1, 1, 8, 8, 7],
  shuffled: [3, 5, 7, 2, 1, 0, 4, 6],
};

describe('randomStream', () => {
  it('gives the same values for ever', () => {
    const below10 = randomStream(3, 'below');
    expect(take(4, randomStream(1, 'epoch', 0).nextU32)).toEqual(FIXED.epoch);
    expect(take(4, randomStream(0).nextU32)).toEqual(FIXED.bare);
    expect(take(2, randomStream(0xffffffff, 'lisa', 7, 2.5).nextFloat)).toEqual(FIXED.float);
    expect(take(8, () => below10.nextBelow(10))).toEqual(FIXED.below10);
    expect(randomStream(1, 'x').shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toEqual(FIXED.shuffled);
  });

  it('has a stream of its own for every seed and every list of keys', () => {
    const lists: (number | string)[][] = [
      [],
      [0],
      [1],
      ['1'],
      ['a'],
      ['b'],
      ['ab'],
      ['a', 'b'],
      ['', ''],
      [''],
      [1, 2],
      [12],
      [2, 1],
      [0.5],
      [-1],
      [2 ** 32],
    ];
    const firsts = [1, 2].flatMap((seed) => lists.map((keys) => take(4, randomStream(seed, ...keys).nextU32).join()));
    expect(new Set(firsts).size).toBe(firsts.length);
    expect(randomStream(-0).nextU32()).toBe(randomStream(0).nextU32());
  });

  it('draws below n without bias, also for n that does not divide 2^32', () => {
    const stream = randomStream(5, 'bias');
    const n = 6;
    const counts = new Array<number>(n).fill(0);
    const draws = 60_000;
    for (let i = 0; i < draws; i++) counts[stream.nextBelow(n)]++;
    const chi2 = counts.reduce((sum, count) => sum + (count - draws / n) ** 2 / (draws / n), 0);
    // 5 degrees of freedom: above 20.5 in one of a thousand streams; this one is fixed.
    expect(chi2).toBeLessThan(20.5);
    // Three quarters of 2^32: a plain remainder would give the lower third twice as often as the others.
    const big = 3 * 2 ** 30;
    const low = take(3000, () => stream.nextBelow(big)).filter((value) => value < 2 ** 30).length;
    expect(low).toBeGreaterThan(850);
    expect(low).toBeLessThan(1150);
    expect(stream.nextBelow(1)).toBe(0);
    expect(() => stream.nextBelow(0)).toThrow(/below 0/);
  });

  it('shuffles to every order equally often', () => {
    const stream = randomStream(6, 'orders');
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = stream.shuffle(Uint8Array.of(1, 2, 3)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['123', '132', '213', '231', '312', '321']);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it('has floats in [0, 1) and normals of mean 0 and variance 1', () => {
    const stream = randomStream(7, 'moments');
    const floats = take(20_000, stream.nextFloat);
    expect(Math.min(...floats)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...floats)).toBeLessThan(1);
    expect(Math.abs(floats.reduce((a, b) => a + b) / floats.length - 0.5)).toBeLessThan(0.01);
    const normals = take(20_000, stream.normal);
    const mean = normals.reduce((a, b) => a + b) / normals.length;
    const variance = normals.reduce((a, b) => a + b * b, 0) / normals.length - mean ** 2;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });
});
