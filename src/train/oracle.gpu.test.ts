// The engine against float64 PyTorch, tensor by tensor: gradients of one batch, and whole runs. Float32
// PyTorch's own error of each quantity stands beside ours, because no f32 can be expected to do better. Differences between model families
// show in gradients, logits, LISA's run and LoRA's. Full training and LISA without embedding and head add nothing to that, so they run for
// one family of each style, and for all with LISA_SLOW=1.

import { describe, expect, test } from 'vitest';
import { relativeErrorL2 } from '../testing/compare';
import { FIXTURES, loadFixture, RUNS, type Fixture, type FixtureName } from '../testing/fixtures';
import { boundOfZeros, gradientBound, judge, updateBound, Worst } from '../testing/oracle-bounds';
import { SLOW } from '../testing/slow';
import { adapterName, adapterValues, fixtureConfig, fixtureEngine, fixtureMicroBatch, runFixture } from '../testing/oracle';
import { stepsOf } from '../testing/steps';
import { logitRows } from '../testing/logit-rows';

const runsOf = (name: FixtureName) => RUNS.filter((run) => SLOW || ALL_RUNS.has(name) || run === 'lisa' || run === 'lora');
/** Llama's and GPT-2's blocks, untied and tied. */
const ALL_RUNS: ReadonlySet<FixtureName> = new Set(['tiny-llama', 'tiny-gpt2']);

describe.each(FIXTURES)('%s', (name) => {
  const fixture: Fixture = loadFixture(name);

  test('every gradient and the loss of one batch', async () => {
    const { gradients } = fixture;
    const config = fixtureConfig({ ...fixture.run('full'), steps: 1 });
    const engine = await fixtureEngine(fixture, config);
    try {
      const steps = stepsOf(engine, config);
      const batch = fixtureMicroBatch(fixture.batches[gradients.batch]);
      const { loss } = await steps.take({ microBatches: [batch], targets: batch.targets, tokens: batch.rows });
      const lossError = Math.abs(loss - gradients.loss) / gradients.loss;
      const worst = new Worst();
      const { blocks, alwaysOn, slots } = engine.plan.buffers;
      for (const { rows } of blocks.values()) {
        for (const row of rows) {
          const of = row.layer === null ? alwaysOn.get(row.block as 'embedding')! : slots[row.layer];
          const want = gradients.gradients.get(row.name)!.values;
          const { error, zeros } = judge(row.name, await engine.readGradient(of, row.local), want, gradients.zeroInTheory);
          const float32 = gradients.float32.gradients[row.name];
          worst.note(row.name, error, float32, gradientBound(float32));
          expect(error, row.name).toBeLessThanOrEqual(gradientBound(float32));
          expect(zeros, `${row.name}, zero in theory`).toBeLessThanOrEqual(boundOfZeros(row.name, gradients.zeroInTheory));
        }
      }
      console.info(
        `${name}: loss error ${lossError.toExponential(1)} (float32 PyTorch ${gradients.float32.loss.toExponential(1)}), worst gradient ${worst.text}`,
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
      const whole = await logitRows(engine);
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

  test.each(runsOf(name))('run %s: losses, norms and every update', async (runName) => {
    const run = fixture.run(runName);
    const { engine, losses, gradNorms, state } = await runFixture(fixture, run);
    try {
      const lossError = Math.max(...losses.map((l, i) => Math.abs(l - run.losses[i]) / run.losses[i]));
      const normError = Math.max(...gradNorms.map((n, i) => Math.abs(n - run.gradNorms[i]) / run.gradNorms[i]));
      const worst = new Worst();
      const compare = (tensor: string, before: Float32Array, after: Float32Array): void => {
        const want = run.updates.get(tensor);
        if (!want) {
          expect(
            Buffer.compare(Buffer.from(after.buffer), Buffer.from(before.slice().buffer)),
            `${tensor} is frozen and must be bit-identical`,
          ).toBe(0);
          return;
        }
        const got = after.map((value, i) => value - before[i]);
        const { error, zeros } = judge(tensor, got, want.values, run.zeroInTheory);
        const float32 = run.float32.updates[tensor];
        worst.note(tensor, error, float32, updateBound(float32));
        expect(error, tensor).toBeLessThanOrEqual(updateBound(float32));
        expect(zeros, `${tensor}, zero in theory`).toBeLessThanOrEqual(boundOfZeros(tensor, run.zeroInTheory));
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
        `${name} ${runName}: worst loss error ${lossError.toExponential(1)}, norm ${normError.toExponential(1)}, worst update ${worst.text}`,
      );
      expect(lossError).toBeLessThanOrEqual(1e-5);
      expect(normError).toBeLessThanOrEqual(1e-4);
      for (const [slot, { layer, updates }] of state.controller.slots().entries()) {
        const row = layer === null ? undefined : engine.plan.buffers.blocks.get(`layer.${layer}`)!.rows[0];
        if (row && run.method !== 'lora') expect(updates, `updates behind slot ${slot}`).toBe(run.stateSteps[row.name]);
      }
    } finally {
      engine.close();
    }
  });
});
