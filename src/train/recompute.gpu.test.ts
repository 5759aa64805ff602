// Recomputation changes no bit: losses, gradients, weights and optimizer state of steps with and without it are the same, for
// every method, over a switch of layers and over two micro-batches a step.

import { expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { SLOW } from '../testing/slow';
import { stepsOf } from '../testing/steps';
import { hashOf, stepData, TINY, tinyConfig, tinyEngine, tinyStep, TINY_NAMES, weightHashes, type TinyName } from '../testing/tiny';

const OFF = { embedding: false, head: false, norm: false };
const METHODS: Readonly<Record<string, Partial<RunConfig>>> = {
  LISA: { method: 'lisa', lisaLayers: 2, stepsPerPeriod: 1 },
  'LISA, drawn layers only': { method: 'lisa', lisaLayers: 1, stepsPerPeriod: 2, alwaysOn: OFF },
  full: { method: 'full' },
  LoRA: { method: 'lora' },
};

async function outcome(name: TinyName, changes: Partial<RunConfig>) {
  const config = tinyConfig(changes);
  const engine = await tinyEngine(TINY[name], config);
  const steps = stepsOf(engine, config);
  const told: unknown[] = [];
  for (let step = 0; step < 3; step++) {
    const batches = [step, 7].slice(0, step === 1 ? 2 : 1).flatMap((seed) => tinyStep(TINY[name], seed).microBatches);
    told.push(await steps.take(stepData(batches)));
  }
  const { alwaysOn, slots } = engine.plan.buffers;
  for (const { gradient, m, v } of [...alwaysOn.values(), ...slots])
    told.push(await hashOf(engine, gradient), await hashOf(engine, m), await hashOf(engine, v));
  const activations = engine.allocator.reading().live.activations;
  told.push(await weightHashes(engine), await engine.evaluate(tinyStep(TINY[name], 9).microBatches[0]));
  engine.close();
  return { told, activations };
}

/** Every family with LISA and LoRA, and one with all methods; all with LISA_SLOW=1. */
const CASES = TINY_NAMES.flatMap((name) => Object.keys(METHODS).map((method) => [name, method] as const)).filter(
  ([name, method]) => SLOW || name === 'tied Llama' || method === 'LISA' || method === 'LoRA',
);

test.each(CASES)('%s, %s', async (name, method) => {
  const [off, mlp, layer] = await Promise.all(
    (['off', 'mlp', 'layer'] as const).map((recompute) => outcome(name, { ...METHODS[method], recompute })),
  );
  expect(mlp.told).toEqual(off.told);
  expect(layer.told).toEqual(off.told);
  console.info(`${name}, ${method}: activations ${off.activations}, ${mlp.activations}, ${layer.activations} bytes`);
});
