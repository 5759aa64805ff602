// Micro-batches against a plain reading of their definition, and the order of training: epochs, packing, accumulation,
// resume.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildMicroBatch, NO_TARGET, type MicroBatch } from './batch';
import { numberedSample } from '../../testing/data-samples';
import { evalBatches, Loader, type StepData } from './loader';
import type { Sample } from '../read/types';

/** Every field as its definition says, row by row. */
function checkBatch(batch: MicroBatch, samples: readonly Sample[]): void {
  const n = batch.rows;
  expect(n).toBe(samples.reduce((sum, { ids }) => sum + ids.length - 1, 0));
  let row = 0;
  let m = 0;
  let pairs = 0;
  for (const { ids, target } of samples) {
    const start = row;
    for (let i = 0; i + 1 < ids.length; i++, row++) {
      expect([batch.tokens[row], batch.segStart[row], batch.segEnd[row]]).toEqual([ids[i], start, start + ids.length - 1]);
      pairs += row - start + 1;
      if (target[i + 1]) {
        expect([batch.targetRows[m], batch.labels[m], batch.inverse[row]]).toEqual([row, ids[i + 1], m]);
        m++;
      } else expect(batch.inverse[row]).toBe(NO_TARGET);
    }
  }
  expect([batch.targets, batch.targetRows.length, batch.labels.length]).toEqual([m, m, m]);
  const positions = batch.segStart.map((start, i) => i - start);
  checkGroups(batch.tokens, batch.tokenOrder, batch.tokenGroupStart, batch.tokenGroupId);
  checkGroups(positions, batch.positionOrder, batch.positionGroupStart, batch.positionGroupId);
  expect(batch.extents).toEqual({
    rows: n,
    targets: m,
    tokenGroups: new Set(batch.tokens).size,
    positionGroups: new Set(positions).size,
    pairs,
  });
}

function checkGroups(keys: Uint32Array, order: Uint32Array, start: Uint32Array, id: Uint32Array): void {
  expect([...order].toSorted((a, b) => a - b)).toEqual([...keys.keys()]);
  expect([...id]).toEqual([...new Set(keys)].toSorted((a, b) => a - b));
  expect([start.length, start[0], start.at(-1)]).toEqual([id.length + 1, 0, keys.length]);
  id.forEach((value, u) => {
    const rows = [...order.slice(start[u], start[u + 1])];
    expect(rows).toEqual([...keys.keys()].filter((row) => keys[row] === value));
  });
}

describe('micro-batches', () => {
  it('of a small case, written out', () => {
    const a: Sample = { ids: Uint32Array.of(7, 5, 7, 9), target: Uint8Array.of(0, 0, 1, 1) };
    const b: Sample = { ids: Uint32Array.of(5, 8), target: Uint8Array.of(0, 1) };
    const batch = buildMicroBatch([[a, b], [b]]);
    expect(batch).toEqual({
      rows: 5,
      targets: 4,
      tokens: Uint32Array.of(7, 5, 7, 5, 5),
      segStart: Uint32Array.of(0, 0, 0, 3, 4),
      segEnd: Uint32Array.of(3, 3, 3, 4, 5),
      targetRows: Uint32Array.of(1, 2, 3, 4),
      labels: Uint32Array.of(7, 9, 8, 8),
      inverse: Uint32Array.of(NO_TARGET, 0, 1, 2, 3),
      tokenOrder: Uint32Array.of(1, 3, 4, 0, 2),
      tokenGroupStart: Uint32Array.of(0, 3, 5),
      tokenGroupId: Uint32Array.of(5, 7),
      positionOrder: Uint32Array.of(0, 3, 4, 1, 2),
      positionGroupStart: Uint32Array.of(0, 3, 4, 5),
      positionGroupId: Uint32Array.of(0, 1, 2),
      extents: { rows: 5, targets: 4, tokenGroups: 2, positionGroups: 3, pairs: 8 },
    });
  });

  it('of random rows are what the definition says', () => {
    const sample = fc.integer({ min: 2, max: 9 }).chain((length) =>
      fc.record({
        ids: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: length, maxLength: length }).map((ids) => Uint32Array.from(ids)),
        target: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: length, maxLength: length }).map((flags) => Uint8Array.from(flags)),
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(sample, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }), (rows) =>
        checkBatch(buildMicroBatch(rows), rows.flat()),
      ),
      { numRuns: 200, seed: 31 },
    );
  });

  it('keep large token ids', () => {
    const ids = Uint32Array.of(262_143, 1, 262_143);
    checkBatch(buildMicroBatch([[{ ids, target: Uint8Array.of(0, 1, 1) }]]), [{ ids, target: Uint8Array.of(0, 1, 1) }]);
  });

  it('refuse to be empty', () => {
    expect(() => buildMicroBatch([])).toThrow(/without tokens/);
  });
});

const SAMPLES = Array.from({ length: 11 }, (_, i) => numberedSample(i, 2 + ((i * 5) % 8)));
const base = { batchSize: 2, gradAccum: 2, seqLen: 12, packing: false, shuffle: true, seed: 3 };

/** First tokens of the documents: numberedSample gives 100·i. */
const documents = ({ microBatches }: StepData): number[] =>
  microBatches.flatMap(({ tokens, segStart }) => [...tokens].filter((_, row) => segStart[row] === row).map((token) => token / 100));

describe('the loader', () => {
  it('uses every sample once an epoch, over the ends of epochs too, in an order that changes', () => {
    const loader = new Loader(SAMPLES, base);
    // 4 samples a step, 11 an epoch: 11 steps are 4 epochs.
    const used = Array.from({ length: 11 }, () => documents(loader.nextStep())).flat();
    const epochs = [0, 1, 2, 3].map((epoch) => used.slice(epoch * 11, epoch * 11 + 11));
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([...SAMPLES.keys()]);
    expect(new Set(epochs.map(String)).size).toBe(4);
    expect(loader.state()).toEqual({ epoch: 4, cursor: 0 });
    expect(documents(new Loader(SAMPLES, { ...base, seed: 4 }).nextStep())).not.toEqual(used.slice(0, 4));
  });

  it('keeps the order of the file with shuffle off', () => {
    const loader = new Loader(SAMPLES, { ...base, shuffle: false });
    expect([documents(loader.nextStep()), documents(loader.nextStep()), documents(loader.nextStep())]).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 0],
    ]);
  });

  it.each([false, true])('4 micro-batches of 1 row hold what 1 of 4 rows holds (packing %s)', (packing) => {
    const many = new Loader(SAMPLES, { ...base, packing, batchSize: 1, gradAccum: 4 });
    const one = new Loader(SAMPLES, { ...base, packing, batchSize: 4, gradAccum: 1 });
    for (let step = 0; step < 9; step++) {
      const [a, b] = [many.nextStep(), one.nextStep()];
      expect(a.microBatches).toHaveLength(4);
      expect(b.microBatches).toHaveLength(1);
      expect(documents(a)).toEqual(documents(b));
      expect([a.tokens, a.targets]).toEqual([b.tokens, b.targets]);
      expect(a.microBatches.flatMap(({ labels }) => [...labels])).toEqual([...b.microBatches[0].labels]);
      expect(many.state()).toEqual(one.state());
    }
  });

  it('packs greedily, in order, within T tokens a row', () => {
    const lengths = [6, 6, 3, 12, 2, 2, 9];
    const samples = lengths.map((length, i) => numberedSample(i, length + 1));
    const loader = new Loader(samples, { ...base, shuffle: false, packing: true, batchSize: 1, gradAccum: 1 });
    expect(Array.from({ length: 4 }, () => documents(loader.nextStep()))).toEqual([[0, 1], [2], [3], [4, 5]]);
    // The last of the epoch, then the first of the next does not fit.
    expect(documents(loader.nextStep())).toEqual([6]);
    expect(loader.state()).toEqual({ epoch: 1, cursor: 0 });
    const wide = new Loader(samples, { ...base, seqLen: 15, shuffle: false, packing: true, batchSize: 1, gradAccum: 1 });
    for (let step = 0; step < 20; step++) {
      const { microBatches, tokens } = wide.nextStep();
      expect(tokens).toBeLessThanOrEqual(15);
      expect(microBatches[0].extents.positionGroups).toBeLessThanOrEqual(15);
    }
  });

  it.each([false, true])('goes on from its state bit for bit, from every step (packing %s)', (packing) => {
    const config = { ...base, packing };
    const whole = new Loader(SAMPLES, config);
    const states = [whole.state()];
    const steps: StepData[] = [];
    for (let step = 0; step < 12; step++) {
      steps.push(whole.nextStep());
      states.push(whole.state());
    }
    for (let from = 0; from < 12; from++) {
      const resumed = new Loader(SAMPLES, config);
      resumed.restore(states[from]);
      for (let step = from; step < 12; step++) expect(resumed.nextStep()).toEqual(steps[step]);
    }
  });

  it('refuses a state that the data does not have, samples that do not fit, and no samples', () => {
    const loader = new Loader(SAMPLES, base);
    for (const state of [
      { epoch: 0, cursor: 11 },
      { epoch: -1, cursor: 0 },
      { epoch: 0, cursor: 0.5 },
    ])
      expect(() => loader.restore(state)).toThrow(/is not in this data of 11 samples/);
    expect(() => new Loader([numberedSample(0, 14)], base)).toThrow(/does not fit/);
    expect(() => new Loader([], base)).toThrow(/no sample/);
  });
});

describe('evaluation batches', () => {
  it('hold all samples in order, packed, within the capacity', () => {
    const batches = [...evalBatches(SAMPLES, 2, 12)];
    expect(evalBatches(SAMPLES, 2, 12).length).toBe(batches.length);
    expect(batches.flatMap((batch) => documents({ microBatches: [batch], targets: 0, tokens: 0 }))).toEqual([...SAMPLES.keys()]);
    for (const batch of batches) expect(batch.rows).toBeLessThanOrEqual(24);
    expect(batches.reduce((sum, batch) => sum + batch.targets, 0)).toBe(
      SAMPLES.reduce((sum, { target }) => sum + target.reduce((a, b) => a + b, 0), 0),
    );
    expect([...evalBatches([], 2, 12)]).toEqual([]);
    expect(evalBatches([], 2, 12).length).toBe(0);
  });

  it('are made one at a time, when they are asked for: a held-out file may be large', () => {
    const read: number[] = [];
    const list = {
      length: SAMPLES.length,
      at: (index: number) => {
        read.push(index);
        return SAMPLES.at(index);
      },
      [Symbol.iterator]: () => SAMPLES[Symbol.iterator](),
    };
    let before = 0;
    for (const batch of evalBatches(list, 2, 12)) {
      const made = documents({ microBatches: [batch], targets: 0, tokens: 0 });
      expect(read.slice(before)).toEqual(made);
      before += made.length;
    }
    expect(before).toBe(SAMPLES.length);
  });
});
