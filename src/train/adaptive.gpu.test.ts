// A run that draws by the norms of its gradients measures what it says, in memory that was forecast.

import { afterAll, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { learningRate } from '../config/learning-rate';
import { bytesByCategory } from '../dispatch/memory';
import { temporaryFolder } from '../testing/tiny-folder';
import { openTiny, textRows, tinyInputs, TINY_CONFIG } from '../testing/tiny-session';

const folder = temporaryFolder('adaptive');
afterAll(() => folder.remove());

const NONE = { embedding: false, head: false, norm: false };

test.each(['global', 'block'] as const)('norms of gradients, clipped %s: those of the steps, by layer', async (gradClipMode) => {
  const config: RunConfig = {
    ...TINY_CONFIG,
    method: 'lisa',
    lisaLayers: 1,
    stepsPerPeriod: 2,
    lisaSampler: 'weighted',
    lisaAdapt: 'gradients',
    alwaysOn: NONE,
    gradClipMode,
    gradClip: 0.1,
    gradAccum: gradClipMode === 'block' ? 1 : 2,
    saveEvery: 0,
  };
  const inputs = await tinyInputs(folder.path, 'tiny-llama', config, textRows(30));
  const { host, session } = await openTiny(inputs);
  try {
    const planned = bytesByCategory(session.engine.plan.allBuffers);
    expect(session.forecasts.lisa.bytes).toEqual(planned);
    expect(session.engine.allocator.reading().live).toEqual(planned);
    const report = await session.run();
    // One layer trains at a time and nothing beside it: the norm of the step is the layer's.
    const { sums, counts } = session.adaptive!.state();
    const expected = sums.map(() => 0);
    for (const { gradNorm, activeLayers } of host.steps) expected[activeLayers[0]] += gradNorm;
    // The GPU adds the squares up in f32, the host in float64.
    expected.forEach((sum, layer) => (sum === 0 ? expect(sums[layer]).toBe(0) : expect(sums[layer] / sum).toBeCloseTo(1, 5)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12);
    // Every period was told with the weights it was drawn by, and the report has those that were drawn.
    const told = host.of('importance');
    expect(told.map(({ period }) => period)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(report.schedule.map(({ layers }) => layers)).toEqual(told.map(({ layers }) => layers));
    expect(report.importance?.adapted?.history).toEqual(told.map(({ period, weights }) => ({ period, weights })));
    expect(new Set(told.map(({ weights }) => weights.join())).size).toBeGreaterThan(3);
    // Before the run, only the number of periods is known.
    const [{ prepared }] = host.of('prepared');
    expect(prepared.schedule.map(({ layers }) => layers)).toEqual([[], [], [], [], [], []]);
  } finally {
    session.close();
  }
});

test('learning rates make up for unequal draws where that is switched on', async () => {
  const config: RunConfig = {
    ...TINY_CONFIG,
    method: 'lisa',
    steps: 4,
    stepsPerPeriod: 1,
    lisaLayers: 1,
    lisaSampler: 'weighted',
    lisaWeights: [8, 4, 3, 1],
    lisaCorrectRate: true,
    saveEvery: 0,
  };
  const inputs = await tinyInputs(folder.path, 'tiny-llama', config, textRows(30));
  const { host, session } = await openTiny(inputs);
  const rates: number[] = [];
  try {
    host.onGate = async () => {
      const { completed } = session.state;
      await session.drain();
      // The row of the only slot, after those of embedding, norm and head; its third number is the rate times the weight decay.
      if (completed > 0) rates.push(new Float32Array((await session.engine.readWhole(session.engine.plan.buffers.scalars)).buffer)[14]);
      return 'go' as const;
    };
    await session.run();
    // (γ/L) / π_l
    const factors = [0.5, 1, 4 / 3, 4];
    const expected = host.steps
      .slice(0, 3)
      .map(({ activeLayers }, at) => learningRate(config, at) * config.weightDecay * factors[activeLayers[0]]);
    rates.forEach((rate, at) => expect(rate / expected[at]).toBeCloseTo(1, 6));
    expect(rates).toHaveLength(3);
  } finally {
    session.close();
  }
});
