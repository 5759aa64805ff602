// Clipping each layer by its own norm: the clip factors are those of float64, updates at once give the bits of updates at the end of the
// step, for every method, with recomputation, over switches of layers; and a loss that is not finite changes no weight.

import { expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { stepsOf } from '../testing/steps';
import { hashOf, TINY, tinyConfig, tinyEngine, tinyStep, weightHashes, type TinyName } from '../testing/tiny';
import { tensorBytes } from '../plan/sharded-buffer';

const BLOCK: Partial<RunConfig> = { gradClipMode: 'block', gradClip: 0.05 };

async function outcome(name: TinyName, changes: Partial<RunConfig>, updateAtOnce: boolean) {
  const config = tinyConfig({ ...BLOCK, ...changes });
  const tokens = Uint32Array.from({ length: TINY[name].vocab - 1 }, (_, i) => i + 1);
  const engine = await tinyEngine(TINY[name], config, { updateAtOnce, tokens });
  const steps = stepsOf(engine, config);
  const told: unknown[] = [];
  for (let step = 0; step < 3; step++) told.push(await steps.take(tinyStep(TINY[name], step)));
  const { alwaysOn, slots } = engine.plan.buffers;
  for (const { m, v } of [...alwaysOn.values(), ...slots]) told.push(await hashOf(engine, m), await hashOf(engine, v));
  told.push(await weightHashes(engine));
  const { gradients } = engine.allocator.reading().live;
  engine.close();
  return { told, gradients };
}

test.each([
  ['tied Llama', { method: 'lisa', stepsPerPeriod: 1 }],
  ['untied Llama', { method: 'lisa', stepsPerPeriod: 2, recompute: 'layer', optimizerState: 'int8' }],
  ['GPT-2', { method: 'full', recompute: 'mlp' }],
  ['Qwen3', { method: 'full' }],
  ['tied Llama', { method: 'lora' }],
] as const)('%s, %o: updates at once give the same bits', async (name, changes) => {
  const [apart, once] = [await outcome(name, changes, false), await outcome(name, changes, true)];
  expect(once.told).toEqual(apart.told);
  expect(once.gradients).toBeLessThan(apart.gradients);
});

test.each(['tied Llama', 'GPT-2'] as const)('%s: clip factors against float64', async (name) => {
  const config = tinyConfig({ ...BLOCK, lr: 1e-9 });
  const engine = await tinyEngine(TINY[name], config, { updateAtOnce: false });
  const { gradNorm } = await stepsOf(engine, config).take(tinyStep(TINY[name], 1));
  const { alwaysOn, slots } = engine.plan.buffers;
  let all = 0;
  for (const of of [...alwaysOn.values(), ...slots]) {
    const pairs: [number, number][] = [];
    for (const local of of.layout.places.keys()) {
      const gradient = await engine.readGradient(of, local);
      const [view] = tensorBytes(of.m, of.layout, local);
      const m = new Float32Array((await engine.readWhole(view.buffer, view.offset, view.offset + view.bytes)).buffer);
      gradient.forEach((g, i) => pairs.push([g, m[i]]));
    }
    const whole = new Float32Array((await engine.readSharded(of.gradient)).buffer);
    const norm = Math.sqrt(whole.reduce((sum, value) => sum + value * value, 0));
    all += norm ** 2;
    const clip = Math.min(1, 0.05 / (norm + 1e-6));
    expect(clip, of.name).toBeLessThan(1);
    // After one step m = (1 − β₁) · clip · g, in f32: three roundings.
    for (const [g, m] of pairs) expect(Math.abs(m - 0.1 * clip * g)).toBeLessThan(1e-6 * Math.abs(0.1 * clip * g) + 1e-12);
  }
  expect(Math.abs(gradNorm / Math.sqrt(all) - 1)).toBeLessThan(1e-6);
  engine.close();
});

test('a loss that is not finite changes no weight, although layers do not wait for the norm of all gradients', async () => {
  const config = tinyConfig(BLOCK);
  const engine = await tinyEngine(TINY['tied Llama'], config);
  const row = engine.plan.buffers.blocks.get('norm')!.rows[0];
  await engine.writeTensor(row, new Float32Array(16).fill(Infinity));
  const before = await weightHashes(engine);
  expect((await stepsOf(engine, config).take(tinyStep(TINY['tied Llama'], 1))).bad).toBe(true);
  expect(await weightHashes(engine)).toEqual(before);
  engine.close();
});
