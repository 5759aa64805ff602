// The probe trains the LoRA that a run would train, its norms are those of its adapters, and the model stays as it is.

import { afterAll, expect, test } from 'vitest';
import { Discarded } from './session-host';
import { loraSites } from '../engine/lora';
import { withFloor } from '../lisa/importance';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { temporaryFolder } from '../testing/tiny-folder';
import { openTiny, TestHost, textRows, tinyInputs, TINY_CONFIG } from '../testing/tiny-session';
import { measureImportance, type ProbeHost, type ProbeOptions, type ProbeProgress } from './probe';

const folder = temporaryFolder('probe');
afterAll(() => folder.remove());

const CONFIG: RunConfig = { ...TINY_CONFIG, method: 'lora', steps: 4, lr: 1e-2, evalEvery: 0, saveEvery: 0 };
const PLAIN: ProbeOptions = { fullLr: null, verify: false };
const QUIET: ProbeHost = { progress: () => undefined, check: () => Promise.resolve() };

test.each(['tiny-llama', 'tiny-gpt2'] as const)(
  '%s: norms of the adapters that a run of LoRA has, on an unchanged model',
  async (fixture) => {
    const inputs = await tinyInputs(folder.path, fixture, CONFIG, textRows(30));
    const { gpu } = await nodeLab();
    const told: ProbeProgress[] = [];
    const host: ProbeHost = { ...QUIET, progress: (progress) => told.push(progress) };
    const { profile, unchanged, seconds } = await measureImportance(gpu, inputs, { fullLr: 1e-3, verify: true }, host);
    // Read back, every bit of every block is as it was loaded.
    expect(unchanged).toEqual(expect.arrayContaining(['embedding', 'layer.0', 'norm']));
    const { layers } = inputs.files.shape;
    expect(profile).toMatchObject({ source: 'lora', steps: 4, model: { name: fixture, layers }, data: { name: 'rows.jsonl' } });
    expect(told.filter(({ phase }) => phase === 'lora').map(({ done, of }) => [done, of])).toEqual([1, 2, 3, 4].map((step) => [step, 4]));
    expect(seconds.steps).toBeGreaterThan(0);

    // The same LoRA as a run: losses to the last bit, and norms of its adapters with B·A formed in float64.
    const run = await openTiny(inputs, null, new TestHost());
    try {
      await run.session.run();
      const norms = profile.norms!;
      expect(norms.steps.map(({ loss }) => loss)).toEqual(run.host.steps.map(({ loss }) => loss));
      const { engine } = run.session;
      const [rank, scale] = [CONFIG.loraRank, CONFIG.loraAlpha / CONFIG.loraRank];
      for (let layer = 0; layer < layers; layer++) {
        let [update, base, merged] = [0, 0, 0];
        for (const site of loraSites(inputs.files.shape)) {
          const [a, b] = [await engine.readAdapter(layer, site.a), await engine.readAdapter(layer, site.b)];
          const w = await inputs.files.tensor(inputs.files.table.find((row) => row.layer === layer && row.local === site.weight)!);
          for (let o = 0; o < site.out; o++) {
            for (let i = 0; i < site.op.in; i++) {
              let value = 0;
              for (let r = 0; r < rank; r++) value += scale * b[o * rank + r] * a[r * site.op.in + i];
              const weight = w[site.op.layout === 'nn' ? i * site.out + o : o * site.op.in + i];
              update += value * value;
              base += weight * weight;
              merged += (weight + value) ** 2;
            }
          }
        }
        expect(norms.steps[3].update[layer] / Math.sqrt(update)).toBeCloseTo(1, 12);
        expect(norms.base[layer] / Math.sqrt(base)).toBeCloseTo(1, 12);
        // W₀ + BA is rounded to f32 on the way.
        expect(norms.merged[layer] / Math.sqrt(merged)).toBeCloseTo(1, 6);
      }
    } finally {
      run.session.close();
    }

    // p_l by the paper's rule.
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const { steps, full } = profile.norms!;
    expect(full).toHaveLength(4);
    const ratios = Array.from(
      { length: layers },
      (_, layer) => mean(steps.map(({ update }) => update[layer])) / mean(full!.map(({ norms }) => norms[layer])),
    );
    withFloor(ratios).forEach((p, layer) => expect(profile.weights[layer]).toBeCloseTo(p, 14));
  },
);

test('refuses data that would repeat, a loss that is not finite, and ends where it is not wanted', async () => {
  const { gpu } = await nodeLab();
  const inputs = await tinyInputs(folder.path, 'tiny-llama', CONFIG, textRows(30));
  const measure = (changes: Partial<RunConfig>, host = QUIET) =>
    measureImportance(gpu, { ...inputs, config: { ...inputs.config, ...changes } }, PLAIN, host);
  await expect(measure({ steps: 11 })).rejects.toMatchObject({
    code: 'DATASET_EMPTY',
    detail: 'rows.jsonl is too small: 21 rows are 10 steps without repeating one, and 11 are asked for.',
    remedy: 'Measure 10 steps or fewer, or add data.',
  });
  // Far above what a setting may be, so that one step overflows.
  await expect(measure({ lr: 1e38, warmup: 0, gradClip: 0 })).rejects.toMatchObject({ code: 'NONFINITE_LOSS' });
  const cancelled = { ...QUIET, check: () => Promise.reject(new Discarded()) };
  await expect(measure({}, cancelled)).rejects.toBeInstanceOf(Discarded);
});
