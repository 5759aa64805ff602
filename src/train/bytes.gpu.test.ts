// Three counts of one run's GPU memory that are independent of each other: the plan's sum, the allocator's ledger, and
// a spy on the device's createBuffer. They agree to the byte, on a device with default limits too.

import { afterAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../gpu/device';
import { openGpu } from '../gpu/device';
import { nodeLab } from '../testing/node-lab';
import { nodeGpu } from '../gpu/node';
import { forecast } from '../plan/forecast';
import { bytesByCategory, sumBytes } from '../dispatch/memory';
import { spyOnBuffers } from '../testing/buffer-spy';
import { TINY, TINY_NAMES, tinyConfig, tinyEngine, tinyStep } from '../testing/tiny';
import { stepsOf } from '../testing/steps';

const METHODS = [
  { method: 'full' as const },
  { method: 'lisa' as const },
  { method: 'lisa' as const, alwaysOn: { embedding: false, head: false, norm: false } },
  { method: 'lora' as const },
];

let small: Promise<Gpu> | undefined;
const DEVICES: Record<string, () => Promise<Gpu>> = {
  "the adapter's limits": async () => (await nodeLab()).gpu,
  'default limits': () => (small ??= nodeGpu().then((gpu) => openGpu(gpu, { defaultLimits: true }))),
};

afterAll(async () => (await small)?.close());

describe.each(Object.keys(DEVICES))('%s', (device) => {
  test.each(TINY_NAMES)('%s: plan, ledger and createBuffer agree', async (name) => {
    const gpu = await DEVICES[device]();
    for (const changes of METHODS) {
      const config = tinyConfig(changes);
      const spy = spyOnBuffers(gpu);
      try {
        const engine = await tinyEngine(TINY[name], config, { gpu });
        const planned = bytesByCategory(engine.plan.allBuffers);
        const ledger = engine.allocator.reading();
        expect(planned).toEqual(forecast(TINY[name], config).bytes);
        expect(ledger.live).toEqual(planned);
        expect(ledger.peak).toEqual(planned);
        expect([ledger.liveTotal, spy.live()]).toEqual([sumBytes(planned), sumBytes(planned)]);
        expect(Object.values(ledger.byBlock).reduce((a, b) => a + b, 0)).toBe(spy.live());
        expect(spy.created()).toBe(engine.plan.allBuffers.length);
        engine.close();
        expect([spy.live(), engine.allocator.reading().liveTotal]).toEqual([0, 0]);
      } finally {
        spy.end();
      }
    }
  });
});

test('steps, evaluation and sampling create no buffer', async () => {
  const { gpu } = await nodeLab();
  const shape = TINY['tied Llama'];
  for (const changes of METHODS) {
    const config = tinyConfig(changes);
    const engine = await tinyEngine(shape, config);
    const spy = spyOnBuffers(gpu);
    try {
      const steps = stepsOf(engine, config, (period) => [period % 3, 3]);
      const data = tinyStep(shape, 1);
      for (let step = 0; step < 4; step++) expect((await steps.take(data)).bad).toBe(false);
      expect(await engine.evaluate(data.microBatches[0])).toBeGreaterThan(0);
      expect(await engine.logits([1, 2, 3], 0)).toHaveLength(shape.vocab);
      expect(spy.created()).toBe(0);
    } finally {
      spy.end();
      engine.close();
    }
  }
});

test('a device with default limits trains to the same bits', async () => {
  const shape = TINY['untied Llama'];
  const config = tinyConfig();
  const results: unknown[] = [];
  for (const device of Object.keys(DEVICES)) {
    const engine = await tinyEngine(shape, config, { gpu: await DEVICES[device]() });
    const steps = stepsOf(engine, config, () => [1, 3]);
    results.push(await steps.take(tinyStep(shape, 2)), await engine.readSharded(engine.plan.buffers.blocks.get('layer.3')!.weights));
    engine.close();
  }
  expect(results.slice(2)).toEqual(results.slice(0, 2));
});
