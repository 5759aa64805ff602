// Embedding, head and final norm that are drawn like layers: they train in the periods that draw them, with the gradients that they have
// where they always train, and keep every bit in all others.

import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { planFaults } from '../dispatch/validate';
import { stepsOf } from '../testing/steps';
import { hashOf, TINY, tinyConfig, tinyEngine, tinyStep, weightHashes, type TinyName } from '../testing/tiny';

const SAMPLED = { lisaEmbedding: 'sampled', lisaHead: 'sampled', lisaNorm: 'sampled' } as const;

test.each([
  ['tied Llama', { lisaLayers: 2 }],
  ['untied Llama', { lisaLayers: 1, recompute: 'layer' }],
  ['GPT-2', { lisaLayers: 2, gradClipMode: 'block', lisaState: 'park' }],
] as const)('%s, %o', async (name: TinyName, changes) => {
  const config = tinyConfig({ ...SAMPLED, ...changes, stepsPerPeriod: 2, steps: 40 });
  const engine = await tinyEngine(TINY[name], config);
  const steps = stepsOf(engine, config);
  const { plan } = engine;
  const seen = new Set<string>();
  for (let period = 0; period < 16; period++) {
    const before = await weightHashes(engine);
    for (let step = 0; step < 2; step++) await steps.take(tinyStep(TINY[name], step));
    const after = await weightHashes(engine);
    const moved = Object.keys(after).filter((block) => after[block] !== before[block]);
    const { controller, turns } = steps.state;
    expect(controller.drawn()).toEqual(turns.blocksOf(period));
    expect(new Set(moved)).toEqual(new Set([...controller.drawn(), ...controller.layers().map((layer) => `layer.${layer}`)]));
    expect(moved.length).toBe(config.lisaLayers);
    for (const block of controller.drawn()) seen.add(block);
    const step = plan.step(controller.assignment(), controller.drawn());
    const segments = [
      ...step.forward,
      step.head.first,
      ...step.head.chunks,
      step.head.last,
      ...step.backward,
      ...step.norm,
      ...step.update,
    ];
    expect(planFaults(plan.allBuffers, segments, plan.capacity, DEFAULT_LIMITS)).toEqual([]);
  }
  expect(seen.size).toBe(plan.input.sampled.length);
  for (const { name: block, updates } of steps.state.controller.blocks()) {
    const drawn = Array.from({ length: 16 }, (_, period) => steps.state.turns.blocksOf(period).includes(block));
    const since = 'lisaState' in changes ? 0 : drawn.lastIndexOf(false, drawn.lastIndexOf(true)) + 1;
    expect(updates, block).toBe(2 * drawn.slice(since).filter(Boolean).length);
  }
  engine.close();
});

test('a period that draws everything gives the gradients of everything that is always on', async () => {
  const of = async (policies: object) => {
    const config = tinyConfig({ ...policies, lisaLayers: 1, lr: 1e-9 });
    const engine = await tinyEngine(TINY['untied Llama'], config);
    const steps = stepsOf(engine, config, () => [1]);
    steps.state.controller.switchTo([1]);
    const { turns } = steps.state;
    const state = { ...steps.state, turns: { ...turns, blocksOf: () => engine.plan.input.sampled } };
    Object.assign(steps.state, state);
    const { loss, gradNorm } = await steps.take(tinyStep(TINY['untied Llama'], 3));
    const hashes: string[] = [];
    for (const { gradient } of engine.plan.buffers.alwaysOn.values()) hashes.push(await hashOf(engine, gradient));
    engine.close();
    return { loss, gradNorm, hashes };
  };
  expect(await of(SAMPLED)).toEqual(await of({}));
});
