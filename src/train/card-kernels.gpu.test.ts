// Whole steps with the kernels of graphics cards: over a switch of layers they give the losses and gradient norms of the other kernels, up to
// the order of sums, in the same memory. (Each kernel has its own test against float64.)

import { expect, test } from 'vitest';
import { CARD_KERNELS, DEFAULT_KERNELS, type KernelChoice } from '../plan/input';
import { stepsOf } from '../testing/steps';
import { stepData, TINY, tinyConfig, tinyEngine, tinyStep } from '../testing/tiny';

async function outcome(name: 'tied Llama', kernels: KernelChoice) {
  const config = tinyConfig({ method: 'lisa', lisaLayers: 1, stepsPerPeriod: 1 });
  const engine = await tinyEngine(TINY[name], config, { kernels, dispatchFlops: 1e12 });
  const steps = stepsOf(engine, config);
  const told: number[] = [];
  for (const seed of [0, 1, 2]) {
    const { loss, gradNorm } = await steps.take(stepData(tinyStep(TINY[name], seed).microBatches));
    told.push(loss, gradNorm);
  }
  const bytes = engine.plan.allBuffers.reduce((sum, spec) => sum + spec.bytes, 0);
  engine.close();
  return { told, bytes };
}

test('the kernels of cards train like the others', { timeout: 300_000 }, async () => {
  const want = await outcome('tied Llama', DEFAULT_KERNELS);
  const got = await outcome('tied Llama', CARD_KERNELS);
  expect(got.bytes).toBe(want.bytes);
  got.told.forEach((value, at) => expect(Math.abs(value / want.told[at] - 1), String(at)).toBeLessThan(2e-5));
});
