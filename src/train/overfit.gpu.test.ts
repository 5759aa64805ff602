// Models learn eight short sentences by heart: the loss falls to nearly nothing with LISA, and greedy sampling then continues each sentence
// from its beginning. LISA_SLOW=1 also learns them with full training, LoRA and GPT-2.

import { describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import type { Sample } from '../data/read/types';
import { relativeErrorL2 } from '../testing/compare';
import { loadFixture, type FixtureName } from '../testing/fixtures';
import { fixtureEngine } from '../testing/oracle';
import { SLOW } from '../testing/slow';
import { microBatch, stepData, tinyConfig, tinySamples } from '../testing/tiny';
import type { Engine } from '../engine/engine';
import { generate } from '../engine/generate';
import { stepsOf } from '../testing/steps';
import { logitRows } from '../testing/logit-rows';

const LENGTH = 7;

/** Eight sentences; the first two tokens of each are given, the rest is to be learnt. No two begin alike. */
function sentences(vocab: number): Sample[] {
  const shape = { vocab } as Parameters<typeof tinySamples>[0];
  return tinySamples(
    shape,
    Array.from({ length: 8 }, () => LENGTH),
    77,
  ).map(({ ids }, i) => {
    ids[0] = 10 + i;
    return { ids, target: Uint8Array.from({ length: LENGTH + 1 }, (_, at) => (at >= 2 ? 1 : 0)) };
  });
}

const base = tinyConfig({
  seqLen: LENGTH,
  batchSize: 8,
  sampleTokens: LENGTH,
  lr: 0.01,
  lrSchedule: 'linear',
  weightDecay: 0,
  gradClip: 1,
});

interface Outcome {
  readonly losses: number[];
  readonly final: number;
}

async function learn(engine: Engine, config: RunConfig, samples: readonly Sample[]): Promise<Outcome> {
  const data = stepData([microBatch(samples)]);
  const steps = stepsOf(engine, config);
  const losses: number[] = [];
  for (let step = 0; step < config.steps; step++) {
    losses.push((await steps.take(data)).loss);
  }
  return { losses, final: (await engine.evaluate(data.microBatches[0])) / data.targets };
}

/** How many sentences greedy sampling reproduces from their first two tokens. */
async function reproduced(engine: Engine, samples: readonly Sample[]): Promise<number> {
  let right = 0;
  for (const { ids } of samples) {
    const made = await generate(engine, [...ids.subarray(0, 2)], { maxTokens: LENGTH - 1, temperature: 0, stopIds: new Set() });
    if (made.join() === [...ids.subarray(2)].join()) right++;
  }
  return right;
}

const RUNS: readonly {
  readonly title: string;
  readonly fixture: FixtureName;
  readonly changes: Partial<RunConfig>;
  readonly below: number;
  readonly slow?: boolean;
}[] = [
  { title: 'full training', fixture: 'tiny-llama', changes: { method: 'full', steps: 30 }, below: 0.1, slow: true },
  {
    title: 'LISA, γ = 2, K = 5',
    fixture: 'tiny-llama',
    changes: { method: 'lisa', lisaLayers: 2, stepsPerPeriod: 5, steps: 45 },
    below: 0.1,
  },
  {
    title: 'LISA on layers alone, γ = 2, K = 5',
    fixture: 'tiny-llama',
    changes: { method: 'lisa', stepsPerPeriod: 5, steps: 120, alwaysOn: { embedding: false, head: false, norm: false } },
    below: 0.5,
    slow: true,
  },
  { title: 'LoRA', fixture: 'tiny-llama', changes: { method: 'lora', loraRank: 8, loraAlpha: 16, steps: 120 }, below: 0.5, slow: true },
  { title: 'GPT-2, full training', fixture: 'tiny-gpt2', changes: { method: 'full', steps: 60 }, below: 0.1, slow: true },
];

describe('eight sentences', () => {
  test.each(RUNS.filter(({ slow }) => SLOW || !slow))(
    '$title',
    async ({ title, fixture: name, changes, below }) => {
      const fixture = loadFixture(name);
      const samples = sentences(fixture.vocab);
      const config: RunConfig = { ...base, ...changes };
      const engine = await fixtureEngine(fixture, config);
      try {
        const before = await reproduced(engine, samples);
        const { losses, final } = await learn(engine, config, samples);
        const right = await reproduced(engine, samples);
        console.info(
          `${title}: loss ${losses[0].toFixed(3)} → ${final.toFixed(4)} in ${config.steps} steps, ${right} of 8 sentences (${before} before)`,
        );
        expect(losses[0]).toBeGreaterThan(5);
        expect(final).toBeLessThan(below);
        expect(before).toBe(0);
        if (below <= 0.1) expect(right).toBe(8);

        // Sampling uses what was learnt: the cache's logits are those of the forward pass.
        const { vocab } = engine.plan.input.shape;
        const [{ ids }] = samples;
        await engine.evaluate(microBatch([{ ids, target: Uint8Array.from({ length: LENGTH + 1 }, (_, i) => (i > 0 ? 1 : 0)) }]));
        const rows = await logitRows(engine);
        for (const position of [0, 3, LENGTH - 1]) {
          const cached = await engine.logits([...ids.subarray(0, position + 1)], 0);
          expect(relativeErrorL2(cached, rows.subarray(position * vocab, (position + 1) * vocab))).toBeLessThan(1e-5);
        }
      } finally {
        engine.close();
      }
    },
    300_000,
  );
});
