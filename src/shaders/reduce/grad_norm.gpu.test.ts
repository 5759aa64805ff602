import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray } from '../../testing/compare';
import { blockNorm, gradNorm, gradSquares, squareGroups } from './grad_norm';
import { gradNormRef } from './grad_norm.ref';
import { Inputs } from '../../testing/rowwise';
import { readStats, STATS, STATS_ELEMENTS, type StepStats } from '../loss/stats';

const OK = new Float32Array(STATS_ELEMENTS);

async function norm(ranges: readonly Float32Array[], maxNorm: number, before: ArrayLike<number> = OK): Promise<StepStats> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const count = ranges.reduce((sum, range) => sum + squareGroups(range.length), 0);
  const partials = scratch('partials', count);
  const stats = inputs.f32('stats', before);
  let at = 0;
  const dispatches = ranges.map((range, i) => {
    const one = gradSquares({ label: `range ${i}`, partials, x: inputs.f32(`g${i}`, range), elements: range.length, at });
    at += squareGroups(range.length);
    return one;
  });
  const [got] = await lab.run([...dispatches, gradNorm({ label: 'norm', stats, partials, count, maxNorm })], inputs.data, [stats]);
  expect(got[0]).toEqual(before[0]);
  return readStats(got);
}

describe('gradient norm', () => {
  // Odd ends, one of several workgroups, and one above 128 workgroups' first sweep.
  const ranges = [1, 2, 3, 4, 7, 48, 301, 48 * 100 + 3, 1_000_003].map((length, i) => randomArray(length, i + 1));

  it('matches the reference over ranges of odd sizes, clipping or not', async () => {
    for (const maxNorm of [0, 1, 1e6]) {
      const got = await norm(ranges, maxNorm);
      const want = gradNormRef(ranges, maxNorm);
      const found = { norm: Math.abs(got.gradNorm / want.norm - 1), clip: Math.abs(got.clip / want.clip - 1) };
      console.info('grad_norm', { maxNorm }, found);
      // Sums in strands of 61, 128 and 128 squares of one sign, halved by the root.
      for (const error of Object.values(found)) expect(error).toBeLessThan(1e-6);
      expect(got.bad).toBe(false);
    }
  });

  it('counts every element once', async () => {
    for (const range of ranges.slice(0, 8)) {
      const ones = new Float32Array(range.length).fill(1);
      expect((await norm([ones], 0)).gradNorm).toBeCloseTo(Math.sqrt(ones.length), 4);
    }
  });

  it('flags a norm or loss that is not finite, skips, and stays flagged', async () => {
    const fine = randomArray(100, 1);
    for (const broken of [NaN, Infinity, 3e38]) {
      const got = await norm([fine, Float32Array.of(1, broken)], 1);
      expect(got).toMatchObject({ bad: true, clip: 0 });
    }
    expect(await norm([fine], 1, [NaN, 0, 1, 0, 0, 0, 0, 0])).toMatchObject({ bad: true, clip: 0 });
    expect(await norm([fine], 1, [-Infinity, 0, 1, 0, 0, 0, 0, 0])).toMatchObject({ bad: true, clip: 0 });
    expect(await norm([fine], 0, [2, 0, 1, 1, 0, 0, 0, 0])).toMatchObject({ bad: true, clip: 0 });
    expect(await norm([fine], 0, [2, 0, 0, 0, 0, 0, 0, 0])).toMatchObject({ bad: false, clip: 1 });
  });

  it('refuses partial sums that do not fit', () => {
    expect(() => gradSquares({ label: 'test', partials: scratch('p', 4), x: scratch('x', 9000), elements: 9000, at: 2 })).toThrow(
      /grad_norm_squares, partials/,
    );
  });
});

describe('norm of one block', () => {
  async function ofBlock(sums: readonly number[], maxNorm: number, step: Partial<Record<'loss' | 'bad', number>> = {}): Promise<StepStats> {
    const lab = await nodeLab();
    const inputs = new Inputs();
    const stats = new Float32Array(STATS_ELEMENTS);
    stats[STATS.loss] = step.loss ?? 1;
    stats[STATS.bad] = step.bad ?? 0;
    const block = scratch('block', STATS_ELEMENTS);
    const [got] = await lab.run(
      [
        blockNorm({
          label: 'test',
          block,
          stats: inputs.f32('stats', stats),
          partials: inputs.f32('partials', sums),
          count: sums.length,
          maxNorm,
        }),
      ],
      inputs.data,
      [block],
    );
    return readStats(got);
  }

  it('is the root of its sums, and clips by itself', async () => {
    const sums = Array.from({ length: 300 }, (_, i) => (i % 7) / 10);
    const norm = Math.sqrt(sums.reduce((sum, x) => sum + x, 0));
    for (const maxNorm of [0, 2, 1e6]) {
      const got = await ofBlock(sums, maxNorm);
      expect(got.gradNorm / norm).toBeCloseTo(1, 6);
      expect(got.clip).toBeCloseTo(maxNorm === 2 ? 2 / norm : 1, 6);
      expect(got.bad).toBe(false);
    }
  });

  it('updates nothing where its norm or the loss is not finite, or the step is bad', async () => {
    for (const got of [await ofBlock([1, NaN], 1), await ofBlock([1], 1, { loss: Infinity }), await ofBlock([1], 1, { bad: 1 })])
      expect([got.bad, got.clip]).toEqual([true, 0]);
  });
});
