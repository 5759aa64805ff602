// The engine against float64 PyTorch, tensor by tensor: gradients of one batch, and whole runs. Float32
// PyTorch's own error of each quantity stands beside ours: nobody's f32 can be held to more than that.

import { describe, expect, test } from 'vitest';
import { relativeErrorL2 } from '../shaders/compare';
import { FIXTURES, loadFixture, RUNS, type Fixture, type ZeroRange } from '../testing/fixtures';
import { adapterName, adapterValues, fixtureConfig, fixtureEngine, fixtureMicroBatch, runFixture } from '../testing/oracle';
import { Trainer } from './trainer';

/** Gradients: four times what float32 PyTorch loses, and never below f32's noise over sums of this length. */
const gradientBound = (float32: number): number => Math.max(1e-5, 4 * float32);
/** Updates: Adam divides by √v, which amplifies the rounding of small gradients. */
const updateBound = (float32: number): number => Math.max(1e-4, 4 * float32);

/** Splits off elements that are zero in theory; they are compared by size. */
function withoutZeros(name: string, values: Float32Array, zeros: readonly ZeroRange[]): { rest: number[]; largest: number } {
  const ranges = zeros.filter((z) => z.tensor === name);
  const rest: number[] = [];
  let largest = 0;
  values.forEach((value, at) => {
    if (ranges.some((z) => at >= z.from && at < z.to)) largest = Math.max(largest, Math.abs(value));
    else rest.push(value);
  });
  return { rest, largest };
}

const boundOfZeros = (name: string, zeros: readonly ZeroRange[]): number =>
  Math.max(0, ...zeros.filter((z) => z.tensor === name).map((z) => 4 * Math.max(z.float32, z.float64)));

describe.each(FIXTURES)('%s', (name) => {
  const fixture: Fixture = loadFixture(name);

  test('every gradient and the loss of one batch', async () => {
    const { gradients } = fixture;
    const config = fixtureConfig({ ...fixture.run('full'), steps: 1 });
    const engine = await fixtureEngine(fixture, config);
    try {
      const trainer = new Trainer(engine, config, () => []);
      const batch = fixtureMicroBatch(fixture.batches[gradients.batch]);
      await trainer.submit({ microBatches: [batch], targets: batch.targets, tokens: batch.rows });
      const { loss } = await trainer.stats();
      const lossError = Math.abs(loss - gradients.loss) / gradients.loss;
      let worst = { name: '', error: 0, float32: 0, ratio: 0 };
      const { blocks, edges, slots } = engine.plan.buffers;
      for (const { rows } of blocks.values()) {
        for (const row of rows) {
          const of = row.layer === null ? edges.get(row.block as 'embedding')! : slots[row.layer];
          const got = withoutZeros(row.name, await engine.readGradient(of, row.local), gradients.zeroInTheory);
          const want = withoutZeros(row.name, gradients.gradients.get(row.name)!.values, gradients.zeroInTheory);
          const error = relativeErrorL2(got.rest, want.rest);
          const float32 = gradients.float32.gradients[row.name];
          const ratio = error / gradientBound(float32);
          if (ratio >= worst.ratio) worst = { name: row.name, error, float32, ratio };
          expect(error, row.name).toBeLessThanOrEqual(gradientBound(float32));
          expect(got.largest, `${row.name}, zero in theory`).toBeLessThanOrEqual(
            Math.max(1e-7, boundOfZeros(row.name, gradients.zeroInTheory)),
          );
        }
      }
      console.info(
        `${name}: loss error ${lossError.toExponential(1)} (float32 PyTorch ${gradients.float32.loss.toExponential(1)}), worst gradient ${worst.name} ${worst.error.toExponential(1)} (${worst.float32.toExponential(1)})`,
      );
      expect(lossError).toBeLessThanOrEqual(Math.max(1e-6, 4 * gradients.float32.loss));
    } finally {
      engine.close();
    }
  });

  test('the logits of one batch, in one pass and token by token over the K/V cache', async () => {
    const { batch, logits, float32 } = fixture.gradients;
    const documents = fixture.batches[batch];
    const row = (at: number): Float32Array => logits.values.subarray(at * fixture.vocab, (at + 1) * fixture.vocab);
    const engine = await fixtureEngine(fixture, fixtureConfig({ ...fixture.run('full'), steps: 1 }));
    try {
      await engine.evaluate(fixtureMicroBatch(documents));
      const whole = new Float32Array((await engine.readWhole(engine.plan.buffers.logits)).buffer);
      const error = relativeErrorL2(whole.subarray(0, logits.values.length), logits.values);
      // The first document has the first targets.
      const [{ ids, target }] = documents;
      let cached = 0;
      let at = 0;
      for (let past = 0; past < ids.length - 1; past++) {
        const got = await engine.logits([ids[past]], past);
        if (target[past + 1]) cached = Math.max(cached, relativeErrorL2(got, row(at++)));
      }
      console.info(
        `${name}: logits ${error.toExponential(1)} (float32 PyTorch ${float32.logits.toExponential(1)}), over the cache ${cached.toExponential(1)}`,
      );
      expect(at).toBeGreaterThan(5);
      expect(error).toBeLessThanOrEqual(gradientBound(float32.logits));
      expect(cached).toBeLessThanOrEqual(gradientBound(float32.logits));
    } finally {
      engine.close();
    }
  });

  test.each(RUNS)('run %s: losses, norms and every update', async (runName) => {
    const run = fixture.run(runName);
    const { engine, losses, gradNorms, trainer } = await runFixture(fixture, run);
    try {
      const lossError = Math.max(...losses.map((l, i) => Math.abs(l - run.losses[i]) / run.losses[i]));
      const normError = Math.max(...gradNorms.map((n, i) => Math.abs(n - run.gradNorms[i]) / run.gradNorms[i]));
      let worst = { name: '', error: 0, float32: 0, ratio: 0 };
      const compare = (tensor: string, before: Float32Array, after: Float32Array): void => {
        const want = run.updates.get(tensor);
        if (!want) {
          expect(
            Buffer.compare(Buffer.from(after.buffer), Buffer.from(before.slice().buffer)),
            `${tensor} is frozen and must be bit-identical`,
          ).toBe(0);
          return;
        }
        const got = withoutZeros(
          tensor,
          after.map((value, i) => value - before[i]),
          run.zeroInTheory,
        );
        const expected = withoutZeros(tensor, want.values, run.zeroInTheory);
        const error = relativeErrorL2(got.rest, expected.rest);
        const float32 = run.float32.updates[tensor];
        const ratio = error / updateBound(float32);
        if (ratio >= worst.ratio) worst = { name: tensor, error, float32, ratio };
        expect(error, tensor).toBeLessThanOrEqual(updateBound(float32));
        expect(got.largest, `${tensor}, zero in theory`).toBeLessThanOrEqual(Math.max(1e-7, boundOfZeros(tensor, run.zeroInTheory)));
      };
      for (const { rows } of engine.plan.buffers.blocks.values()) {
        for (const row of rows) compare(row.name, fixture.weights.get(row.name)!.values, await engine.readTensor(row));
      }
      for (const [layer, { rows }] of engine.plan.buffers.adapters.entries()) {
        for (const row of rows)
          compare(
            adapterName(fixture, layer, row.local),
            adapterValues(fixture.adapters, layer, row.local, fixture),
            await engine.readAdapter(layer, row.local),
          );
      }
      console.info(
        `${name} ${runName}: worst loss error ${lossError.toExponential(1)}, norm ${normError.toExponential(1)}, worst update ${worst.name} ${worst.error.toExponential(1)} (float32 PyTorch ${worst.float32.toExponential(1)})`,
      );
      expect(lossError).toBeLessThanOrEqual(1e-5);
      expect(normError).toBeLessThanOrEqual(1e-4);
      for (const [slot, { layer, updates }] of trainer.state().slots.entries()) {
        const row = layer === null ? undefined : engine.plan.buffers.blocks.get(`layer.${layer}`)!.rows[0];
        if (row && run.method !== 'lora') expect(updates, `updates behind slot ${slot}`).toBe(run.stateSteps[row.name]);
      }
    } finally {
      engine.close();
    }
  });
});
