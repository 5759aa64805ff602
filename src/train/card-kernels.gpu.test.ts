// Whole steps with the kernels of graphics cards: over a switch of layers they give the losses and gradient norms of the other kernels, up to
// the order of sums, in the same memory. (Each kernel has its own test against float64.)

import { expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { CARD_KERNELS, DEFAULT_KERNELS, type KernelChoice } from '../plan/input';
import { stepsOf } from '../testing/steps';
import { SLOW } from '../testing/slow';
import { stepData, TINY, tinyConfig, tinyEngine, tinyStep, type TinyName } from '../testing/tiny';

async function outcome(name: TinyName, kernels: KernelChoice, changes: Partial<RunConfig>) {
  const config = tinyConfig({ method: 'lisa', lisaLayers: 1, stepsPerPeriod: 1, ...changes });
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

// Recomputed, because the forward then runs twice. LISA_SLOW=1 adds what compiles longer.
const CASES: [TinyName, Partial<RunConfig>][] = [
  ['tied Llama', { recompute: 'layer' }],
  ...(SLOW
    ? ([
        ['tied Llama', {}],
        ['untied Llama', { method: 'full' }],
        ['Qwen3', { recompute: 'mlp' }],
        ['GPT-2', {}],
        ['Gemma 3', { recompute: 'layer' }],
        ['tied Llama', { method: 'lora' }],
      ] as const)
    : []),
].map(([name, changes]) => [name, changes] as [TinyName, Partial<RunConfig>]);

test.each(CASES)('the kernels of cards train like the others: %s, %o', { timeout: 300_000 }, async (name, changes) => {
  const want = await outcome(name, DEFAULT_KERNELS, changes);
  const got = await outcome(name, CARD_KERNELS, changes);
  expect(got.bytes).toBe(want.bytes);
  got.told.forEach((value, at) => expect(Math.abs(value / want.told[at] - 1), String(at)).toBeLessThan(2e-5));
});

test('what the kernels of cards compute again in the backward has the same bits', { timeout: 300_000 }, async () => {
  const [kept, again, mlp] = [
    await outcome('tied Llama', CARD_KERNELS, {}),
    await outcome('tied Llama', CARD_KERNELS, { recompute: 'layer' }),
    await outcome('tied Llama', CARD_KERNELS, { recompute: 'mlp' }),
  ];
  expect(again.told).toEqual(kept.told);
  expect(mlp.told).toEqual(kept.told);
});
