// K and V lie in memory that steps use: sampling between steps changes no bit of the run, and sampling
// itself is right.

import { expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { relativeErrorL2 } from '../testing/compare';
import { stepsOf } from '../testing/steps';
import { hashOf, TINY, tinyConfig, tinyEngine, tinyStep, weightHashes, type TinyName } from '../testing/tiny';

const PROMPT = [3, 1, 4, 1, 5, 9, 2];

async function outcome(name: TinyName, changes: Partial<RunConfig>, sampling: boolean) {
  const config = tinyConfig(changes);
  const engine = await tinyEngine(TINY[name], config);
  const steps = stepsOf(engine, config);
  const told: unknown[] = [];
  for (let step = 0; step < 4; step++) {
    told.push(await steps.take(tinyStep(TINY[name], step)));
    if (!sampling) continue;
    // As a sample does: the prompt at once, then a token at a time, to the end of the cache's room.
    await engine.logits(PROMPT, 0);
    for (let past = PROMPT.length; past < 17; past++) await engine.logits([past], past);
  }
  // The logits of the last token are those of a forward pass without a cache, so K and V were whole to the end.
  if (sampling) {
    const text = [...PROMPT, ...Array.from({ length: 2 }, (_, i) => PROMPT.length + i)];
    const once = await engine.logits(text, 0);
    let logits = await engine.logits(PROMPT, 0);
    for (let past = PROMPT.length; past < text.length; past++) logits = await engine.logits([text[past]], past);
    expect(relativeErrorL2(logits, once)).toBeLessThan(1e-5);
  }
  const { alwaysOn, slots } = engine.plan.buffers;
  for (const { m, v } of [...alwaysOn.values(), ...slots]) told.push(await hashOf(engine, m), await hashOf(engine, v));
  told.push(await weightHashes(engine));
  const { cache } = engine.allocator.reading().live;
  const inPlace = engine.plan.buffers.cache.flatMap(({ k, v }) => [k, v]).filter(({ buffer }) => buffer.memory !== 'cache').length;
  engine.close();
  return { told, cache, inPlace };
}

test.each([
  ['tied Llama', { method: 'lisa', stepsPerPeriod: 2 }],
  ['GPT-2', { method: 'lisa', stepsPerPeriod: 2, lisaLayers: 1, recompute: 'layer', gradClipMode: 'block' }],
  ['Qwen3', { method: 'full' }],
  ['untied Llama', { method: 'lora', recompute: 'mlp' }],
] as const)('%s, %o', async (name, changes) => {
  const [without, within] = [await outcome(name, changes, false), await outcome(name, changes, true)];
  expect(within.told).toEqual(without.told);
  expect(within.inPlace).toBeGreaterThan(0);
  console.info(`${name}: ${within.inPlace} of ${2 * TINY[name].layers} in place, ${within.cache} bytes of their own`);
});
