import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray, relativeError, seededRandom } from '../../testing/compare';
import { crossEntropy, lossReduce } from './cross_entropy';
import { crossEntropyRef } from './cross_entropy.ref';
import { differenceError, Inputs, writtenFrom } from '../../testing/rowwise';
import { STATS, STATS_ELEMENTS } from './stats';

const labelsFor = (count: number, vocab: number, seed: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocab));
};

interface Shape {
  rows: number;
  targets: number;
  vocab: number;
  row0: number;
  /** Logits are uniform on ±spread, plus shift. */
  spread?: number;
  shift?: number;
}

async function run({ rows, targets, vocab, row0, spread = 8, shift = 0 }: Shape) {
  const lab = await nodeLab();
  const lossScale = 1 / 37;
  const inputs = new Inputs();
  const values = randomArray(rows * vocab, 1).map((value) => value * spread + shift);
  const labels = labelsFor(row0 + rows, vocab, 2);
  // First and last column, where an off-by-one would show.
  labels[row0] = 0;
  labels[row0 + 1] = vocab - 1;
  const [kept, logits] = [inputs.f32('logits kept', values), inputs.f32('logits', values)];
  const labelView = inputs.u32('labels', labels);
  const [losses, evalLosses] = [scratch('losses', row0 + rows), scratch('eval losses', row0 + rows)];
  const sizes = { label: 'test', labels: labelView, rows, vocab, live: { extent: 'targets', row0 } as const };
  const [gotKept, gotLogits, gotLosses, gotEval] = await lab.run(
    [crossEntropy({ ...sizes, logits: kept, losses: evalLosses, train: false }), crossEntropy({ ...sizes, logits, losses, train: true })],
    inputs.data,
    [kept, logits, losses, evalLosses],
    { extents: { targets }, lossScale },
  );
  const live = Math.min(rows, targets - row0);
  const end = live * vocab;
  expect(relativeError(gotKept.subarray(0, rows * vocab), values)).toBe(0);
  expect(relativeError(gotLogits.subarray(end, rows * vocab), values.subarray(end))).toBe(0);
  expect(writtenFrom(gotLosses.subarray(0, row0), 0) + writtenFrom(gotLosses, row0 + live)).toBe(0);
  expect(gotEval).toEqual(gotLosses);
  const want = crossEntropyRef(values, labels.slice(row0), live, vocab, lossScale);
  return {
    losses: relativeError(gotLosses.subarray(row0, row0 + live), want.losses),
    dlogits: relativeError(gotLogits.subarray(0, end), want.dlogits),
  };
}

describe('cross entropy', () => {
  const shapes: Shape[] = [
    { rows: 40, targets: 37, vocab: 301, row0: 0 },
    { rows: 16, targets: 37, vocab: 301, row0: 32 },
    { rows: 6, targets: 6, vocab: 20, row0: 0 },
    { rows: 4, targets: 4, vocab: 50257, row0: 0 },
    { rows: 3, targets: 7, vocab: 151936, row0: 5 },
    { rows: 8, targets: 8, vocab: 301, row0: 0, spread: 60, shift: 1000 },
    { rows: 8, targets: 8, vocab: 304, row0: 0, spread: 1e4, shift: -1e5 },
  ];
  for (const shape of shapes) {
    it(`matches the reference: ${JSON.stringify(shape)}`, async () => {
      const found = await run(shape);
      console.info('cross_entropy', shape, found);
      // WGSL lets e^x be off by 3 + 2|x| units in the last place (6e-8) and log by 2^-21 = 5e-7.
      for (const error of Object.values(found)) expect(error).toBeLessThan(3e-6);
    });
  }

  it('shows a broken logit in the loss of its row, in no other row, and in the reduced loss', async () => {
    const lab = await nodeLab();
    for (const broken of [NaN, Infinity, -Infinity]) {
      for (const vocab of [40, 41]) {
        const inputs = new Inputs();
        const values = randomArray(3 * vocab, 1);
        values[vocab + 17] = broken;
        const losses = scratch('losses', 3);
        const stats = scratch('stats', STATS_ELEMENTS);
        const views = { logits: inputs.f32('logits', values), labels: inputs.u32('labels', [1, 2, 3]), losses };
        const rowLosses = crossEntropy({ label: 'test', ...views, rows: 3, vocab, train: false });
        const [got, reduced] = await lab.run([rowLosses, lossReduce({ label: 'test', stats, losses, rows: 3 })], inputs.data, [
          losses,
          stats,
        ]);
        expect([...got.subarray(0, 3)].map(Number.isFinite)).toEqual([true, false, true]);
        expect(Number.isFinite(reduced[STATS.loss])).toBe(false);
      }
    }
  });

  it('has a reference whose gradient is that of finite differences', () => {
    const logits = randomArray(3 * 11, 1).map((value) => value * 3);
    const labels = [0, 10, 4];
    const loss = (at: ArrayLike<number>) => crossEntropyRef(at, labels, 3, 11, 1).losses.reduce((a, b) => a + b, 0) * 0.25;
    const found = differenceError(loss, logits, crossEntropyRef(logits, labels, 3, 11, 0.25).dlogits);
    console.info('cross_entropy finite differences', found);
    expect(found).toBeLessThan(1e-8);
  });

  it('refuses a view that is too small', () => {
    const views = { logits: scratch('logits', 80), labels: scratch('labels', 4), losses: scratch('losses', 4) };
    const live = { extent: 'targets', row0: 4 } as const;
    expect(() => crossEntropy({ label: 'test', ...views, rows: 4, vocab: 20, live, train: true })).toThrow(/cross_entropy, labels/);
  });
});

describe('loss reduction', () => {
  it('assigns in the first micro-batch, adds after it, and leaves the other stats alone', async () => {
    const lab = await nodeLab();
    const [rows, live, lossScale] = [400, 377, 1 / 700];
    const values = randomArray(rows, 1).map((value) => value + 3);
    const before = [5, 1, 2, 3, 4, 5, 6, 7];
    const sum = values.subarray(0, live).reduce((a, b) => a + b, 0) * lossScale;
    for (const accumulate of [false, true]) {
      const inputs = new Inputs();
      const stats = inputs.f32('stats', before);
      const one = lossReduce({ label: 'test', stats, losses: inputs.f32('losses', values), rows, live: { extent: 'targets' } });
      const [got] = await lab.run([one], inputs.data, [stats], { extents: { targets: live }, lossScale, accumulate });
      const want = sum + (accumulate ? before[STATS.loss] : 0);
      const found = Math.abs(got[STATS.loss] - want) / want;
      console.info('cross_entropy_reduce', { accumulate }, found);
      expect(found).toBeLessThan(2e-6); // 128 partial sums added in sequence
      expect([...got.subarray(1, STATS_ELEMENTS)]).toEqual(before.slice(1));
    }
  });
});
