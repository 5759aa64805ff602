// Compares weights that lie in 16 bits with float64 PyTorch, tensor by tensor, from the model's own file: gradients while each layer trains
// in turn, and LISA over four periods, in which a layer is rounded when it leaves and starts from the rounded weights when it comes back.
// Float32 PyTorch's own error stands beside ours.

import { afterEach, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { openModel } from '../io/sources/model-files';
import { nodeSource } from '../io/node/source';
import type { ParameterRow } from '../model/types';
import { planInput } from '../plan/input';
import { roundedRef } from '../shaders/storage/storage.ref';
import { boundOfZeros, gradientBound, judge, updateBound, Worst } from '../testing/oracle-bounds';
import { fixtureConfig, fixtureMicroBatch } from '../testing/oracle';
import { loadStoredFixture, STORED_FIXTURES, type StoredFixture } from '../testing/stored-fixtures';
import { Engine } from '../engine/engine';
import { logitRows } from '../testing/logit-rows';
import { stepsOf } from '../testing/steps';
import { loadWeights } from '../engine/weights';

/** The largest percentage of elements that may round otherwise than float64 did. */
const MOST_DIFFERING = 0.5;

let engine: Engine | null = null;
afterEach(() => {
  engine?.close();
  engine = null;
});

/** The engine as in a run: from the model's files, in the types of these files. */
async function open(fixture: StoredFixture, config: RunConfig, draws: readonly (readonly number[])[]): Promise<Engine> {
  const files = await openModel(await nodeSource(fixture.directory));
  expect(new Set(Object.values(files.types))).toEqual(new Set([fixture.stored]));
  engine?.close();
  engine = await Engine.create((await nodeLab()).gpu, planInput(files.shape, config, { types: files.types, draws }), { validate: true });
  await loadWeights(engine, files, () => undefined);
  return engine;
}

const rowsOf = (of: Engine, layer: number): readonly ParameterRow[] => of.plan.buffers.blocks.get(`layer.${layer}`)!.rows;
const allRows = (of: Engine): ParameterRow[] => [...of.plan.buffers.blocks.values()].flatMap(({ rows }) => rows);

/** Expects that frozen weights equal the file's bit for bit. */
async function expectUntouched(of: Engine, fixture: StoredFixture, rows: readonly ParameterRow[]): Promise<void> {
  for (const row of rows) expect(await of.readTensor(row), row.name).toEqual(fixture.weights.get(row.name)!.values);
}

describe.each(STORED_FIXTURES)('%s', (name) => {
  const fixture = loadStoredFixture(name);
  const { gradients, run } = fixture;
  const base: RunConfig = {
    ...fixtureConfig({ method: 'lisa', steps: run.steps, optimizer: run.optimizer, lisa: run.lisa, lora: null }),
    weightStorage: 'stored',
  };

  test('every gradient, the loss and the logits of one batch, over packed layers', async () => {
    const batch = fixtureMicroBatch(fixture.batches[gradients.batch]);
    const worst = new Worst();
    const seen = new Set<string>();
    let lossError = 0;
    let logitError = 0;
    for (const on of [false, true]) {
      // Embedding and head train from f32 copies of their own, so one step with any layer covers them.
      const draws = on ? [[0]] : [[0], [1], [2], [3]];
      // A rate of zero: every step has the same weights, and a layer that leaves is rounded to what it was.
      const switches = { embedding: on, head: on, norm: true };
      const config: RunConfig = { ...base, steps: draws.length, lr: 0, stepsPerPeriod: 1, alwaysOn: switches };
      const packed = await open(fixture, config, draws);
      const { alwaysOn, slots } = packed.plan.buffers;
      const trained = allRows(packed).flatMap((row) => (on && row.layer === null ? row.name : []));
      const inHalves = allRows(packed).flatMap((row) => (packed.storedAs(row) === 'f32' ? [] : row.name));
      expect(inHalves.sort()).toEqual(run.packed.filter((tensor) => !trained.includes(tensor)).sort());
      const steps = stepsOf(packed, config, (period) => draws[period]);
      for (const [layer] of draws) {
        const { loss } = await steps.take({ microBatches: [batch], targets: batch.targets, tokens: batch.rows });
        lossError = Math.max(lossError, Math.abs(loss / gradients.loss - 1));
        for (const row of allRows(packed)) {
          const of = row.layer === layer ? slots[0] : row.layer === null ? alwaysOn.get(row.block as 'embedding') : undefined;
          if (!of) continue;
          const want = gradients.gradients.get(row.name)!.values;
          const { error, zeros } = judge(row.name, await packed.readGradient(of, row.local), want, gradients.zeroInTheory);
          const float32 = gradients.float32.gradients[row.name];
          worst.note(row.name, error, float32, gradientBound(float32));
          expect(error, row.name).toBeLessThanOrEqual(gradientBound(float32));
          expect(zeros, `${row.name}, zero in theory`).toBeLessThanOrEqual(boundOfZeros(row.name, gradients.zeroInTheory));
          seen.add(row.name);
        }
      }
      await packed.roundBack();
      await expectUntouched(packed, fixture, allRows(packed));
      await packed.evaluate(batch);
      const got = (await logitRows(packed)).subarray(0, gradients.logits.values.length);
      logitError = Math.max(logitError, judge('logits', got, gradients.logits.values, []).error);
    }
    console.info(
      `${name}, packed: loss error ${lossError.toExponential(1)} (float32 PyTorch ${gradients.float32.loss.toExponential(1)}), logits ${logitError.toExponential(1)} (${gradients.float32.logits.toExponential(1)}), worst gradient ${worst.text}`,
    );
    expect([...seen].sort()).toEqual([...fixture.weights.keys()].sort());
    expect(lossError).toBeLessThanOrEqual(Math.max(1e-6, 4 * gradients.float32.loss));
    expect(logitError).toBeLessThanOrEqual(gradientBound(gradients.float32.logits));
  });

  test('LISA over four periods: losses, what layers learn while they train, and what is stored once they have left', async () => {
    const { period, draws } = run.lisa;
    const packed = await open(fixture, base, draws);
    const steps = stepsOf(packed, base, (at) => draws[at]);
    const [moved, normMoved] = [new Worst(), new Worst()];
    let [lossError, normError, compared, differing, float32Differing] = [0, 0, 0, 0, 0];
    /** The values of every tensor of a layer when it joined. */
    const joined = new Map<string, Float32Array>([...fixture.weights].map(([tensor, { values }]) => [tensor, values]));

    /**
     * Checks the masters before layers leave. A value that float64 rounds to the other side is set to that side, so that training continues
     * from the same 16 bits.
     */
    const leave = async (ended: number, layers: readonly number[]): Promise<() => Promise<void>> => {
      const rows = layers.flatMap((layer) => rowsOf(packed, layer));
      for (const row of rows) {
        const key = `${ended}/${row.name}`;
        const master = await packed.readTensor(row);
        const before = joined.get(row.name)!;
        const want = run.moved.get(key)!.values;
        const { error, zeros } = judge(
          key,
          master.map((value, i) => value - before[i]),
          want,
          run.zeroInTheory,
        );
        const float32 = run.float32.moved[key];
        moved.note(key, error, float32, updateBound(float32));
        expect(error, key).toBeLessThanOrEqual(updateBound(float32));
        expect(zeros, `${key}, zero in theory`).toBeLessThanOrEqual(boundOfZeros(key, run.zeroInTheory));
        joined.set(row.name, master);
        const left = run.left.get(key)?.values;
        expect(left !== undefined, key).toBe(packed.storedAs(row) !== 'f32');
        if (!left) continue;
        joined.set(row.name, left);
        compared += left.length;
        float32Differing += run.float32.differing[key];
        let mended = 0;
        master.forEach((value, i) => {
          if (roundedRef(value, fixture.stored) === left[i]) return;
          // On the other side of a tie, and no farther from float64 than f32 is.
          expect(Math.abs(value - before[i] - want[i]), `${key} [${i}]`).toBeLessThanOrEqual(4 * run.float32.largest[key]);
          master[i] = left[i];
          mended++;
        });
        differing += mended;
        if (mended > 0) await packed.writeTensor(row, master);
      }
      return async () => {
        for (const row of rows) expect(await packed.readTensor(row), `${ended}/${row.name}, stored`).toEqual(joined.get(row.name));
      };
    };

    for (const [step, indices] of run.microBatches.entries()) {
      const at = step / period;
      const leaving = step > 0 && Number.isInteger(at) ? draws[at - 1].filter((layer) => !draws[at].includes(layer)) : [];
      const stored = await leave(at - 1, leaving);
      const microBatches = indices.map((index) => fixtureMicroBatch(fixture.batches[index]));
      const { loss, gradNorm } = await steps.take({
        microBatches,
        targets: microBatches.reduce((sum, { targets }) => sum + targets, 0),
        tokens: 0,
      });
      lossError = Math.max(lossError, Math.abs(loss / run.losses[step] - 1));
      normError = Math.max(normError, Math.abs(gradNorm / run.gradNorms[step] - 1));
      await stored();
    }

    const batch = fixtureMicroBatch(fixture.batches[0]);
    const meanLoss = async (): Promise<number> => (await packed.evaluate(batch)) / batch.targets;
    const before = await meanLoss();
    const stored = await leave(draws.length - 1, draws.at(-1)!);
    await packed.roundBack();
    const after = await meanLoss();
    await stored();
    const norms = allRows(packed).filter(({ block }) => block === 'norm');
    expect(norms.map((row) => row.name).sort()).toEqual([...run.norm.keys()].sort());
    for (const row of norms) {
      const start = fixture.weights.get(row.name)!.values;
      const got = (await packed.readTensor(row)).map((value, i) => value - start[i]);
      const { error } = judge(row.name, got, run.norm.get(row.name)!.values, []);
      normMoved.note(row.name, error, run.float32.norm[row.name], updateBound(run.float32.norm[row.name]));
      expect(error, row.name).toBeLessThanOrEqual(updateBound(run.float32.norm[row.name]));
    }
    const trained = new Set(draws.flat());
    const frozen = allRows(packed).filter((row) => row.block !== 'norm' && !(row.layer !== null && trained.has(row.layer)));
    await expectUntouched(packed, fixture, frozen);

    const { lastRounding } = run;
    const exact = lastRounding.after - lastRounding.before;
    console.info(
      `${name}, LISA over packed layers: worst loss error ${lossError.toExponential(1)}, norm ${normError.toExponential(1)}, worst update ${moved.text}, of the norm ${normMoved.text}; ` +
        `of ${compared} elements that were rounded ${differing} went to the other side of a tie (float32 PyTorch ${float32Differing}); ` +
        `the last rounding moved the loss by ${(after - before).toExponential(3)}, in float64 by ${exact.toExponential(3)}`,
    );
    expect(lossError).toBeLessThanOrEqual(1e-5);
    expect(normError).toBeLessThanOrEqual(1e-4);
    expect(compared).toBeGreaterThan(5000);
    expect(differing).toBeLessThanOrEqual((MOST_DIFFERING / 100) * compared);
    expect(Math.abs(before / lastRounding.before - 1)).toBeLessThanOrEqual(1e-5);
    expect(Math.abs(after - before - exact)).toBeLessThanOrEqual(0.1 * Math.abs(exact));
  });
});
