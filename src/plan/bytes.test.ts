// Memory of a plan, category by category, against independent arithmetic (src/testing/closed-form.ts). The scratch pool is
// computed there from lifetimes written down by hand and the pool's rule; the size of the parameter table from
// the distinct parameter structs of all that a run can submit. Everything else is a formula of the model's numbers.

import { describe, expect, test } from 'vitest';
import { closedForm } from '../testing/closed-form';
import { paramSlots } from '../testing/param-slots';
import { assignments, METHODS, methodsByTurns, runConfig, runPlan } from '../testing/plans';
import { ODD_NAMES, SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { forecast } from './forecast';
import { termBytes } from './forecast-formula';
import { bytesByCategory, sumBytes } from '../dispatch/memory';
import type { PlanInput } from './input';
import type { RunPlan } from './run-plan';

/** The formula's numbers, from shape and configuration alone where the plan decides nothing. */
const numbers = (plan: RunPlan, over = assignments(plan), halves = false) => {
  const { shape, method, slots, lowest, alwaysOn, rows, seqLen, cacheTokens, lora, shardBytes }: PlanInput = plan.input;
  const rank = lora?.rank ?? 0;
  return {
    shape,
    method,
    slots,
    lowest,
    alwaysOn,
    rank,
    rows,
    seqLen,
    cacheTokens,
    shardBytes,
    halves,
    paramSlots: paramSlots(plan, over),
  };
};

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];
  const odd = ODD_NAMES.includes(name);

  test.each(METHODS)('$name: bytes by category equal the closed form', (method) => {
    const config = runConfig(shape, method);
    const plan = runPlan(shape, config);
    const { slots, lowest, alwaysOn, rows, cacheTokens } = plan.input;
    expect(slots).toBe(config.method === 'lisa' ? config.lisaLayers : shape.layers);
    expect(rows).toBe(38);
    expect(cacheTokens).toBe(30);
    expect(lowest).toBeLessThanOrEqual(shape.layers - slots);
    if (config.method === 'full') expect(alwaysOn).toEqual({ embedding: true, norm: true, head: !shape.tied });
    // Large models: a few draws reach every distinct struct, because structs do not depend on the layer.
    const all = assignments(plan);
    const over = odd ? all : all.slice(0, 2);
    const want = closedForm(numbers(plan, over));
    expect(bytesByCategory(plan.allBuffers)).toEqual(want);
    const shown = forecast(shape, config);
    expect(shown).toMatchObject({ bytes: want, total: sumBytes(want) });
    expect(shown.parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(sumBytes(want));
  });
});

describe('a checkpoint in 16 bits, stored as it came', () => {
  // Which 16 bits they are changes kernels and no byte, so shapes take turns.
  const TYPES = ['f16', 'bf16'] as const;
  test.each(SHAPE_NAMES)('%s: bytes by category equal the closed form', (name) => {
    const shape = SHAPES[name];
    const types = TYPES[SHAPE_NAMES.indexOf(name) % 2];
    for (const method of methodsByTurns(SHAPE_NAMES.indexOf(name))) {
      const config = { ...runConfig(shape, method), weightStorage: 'stored' as const };
      const plan = runPlan(shape, config, { types });
      const all = assignments(plan);
      const over = ODD_NAMES.includes(name) ? all : all.slice(0, 2);
      const want = closedForm(numbers(plan, over, true));
      expect(bytesByCategory(plan.allBuffers), method.name).toEqual(want);
      const shown = forecast(shape, config, types);
      expect(shown.bytes).toEqual(want);
      for (const { bytes, formula } of shown.parts) expect(formula.reduce((sum, term) => sum + termBytes(term), 0)).toBe(bytes);
      // If nothing may be packed, weights are f32 whatever the settings say.
      expect(forecast(shape, config).bytes).toEqual(forecast(shape, { ...config, weightStorage: 'f32' }).bytes);
    }
  });
});

test('bytes by category hold over several batch shapes, several chunks of the head included', () => {
  const lora = METHODS.find(({ name }) => name === 'LoRA')!;
  const drawnOnly = METHODS.find(({ name }) => name === 'LISA γ=2, drawn layers only')!;
  const shapes = [
    [1, 1],
    [3, 37],
    [5, 64],
    [1, 67],
  ];
  const methods = [METHODS[0], METHODS[2], drawnOnly, lora];
  // Every model with every batch, and by turns with every method.
  for (const [at, [batchSize, seqLen]] of shapes.entries()) {
    for (const [index, name] of ODD_NAMES.entries()) {
      const method = methods[(at + index) % methods.length];
      const plan = runPlan(SHAPES[name], runConfig(SHAPES[name], method, { batchSize, seqLen }));
      expect(bytesByCategory(plan.allBuffers), `${name}, ${method.name}, ${batchSize}×${seqLen}`).toEqual(closedForm(numbers(plan)));
    }
  }
  const large = runPlan(SHAPES['GPT-2 124M'], runConfig(SHAPES['GPT-2 124M'], METHODS[2], { batchSize: 2, seqLen: 256 }));
  expect(large.buffers.chunkRows).toBeLessThan(large.input.rows);
  expect(bytesByCategory(large.allBuffers)).toEqual(closedForm(numbers(large, assignments(large).slice(0, 4))));
});

test.each(ODD_NAMES)('%s: blocks cut early have the same bytes, and the closed form those of the buffers they are in', (name) => {
  const shape = SHAPES[name];
  const shardBytes = 64 * shape.width * 4;
  for (const method of methodsByTurns(ODD_NAMES.indexOf(name))) {
    const config = runConfig(shape, method);
    const plan = runPlan(shape, config, { shardBytes });
    const whole = runPlan(shape, config);
    expect(bytesByCategory(plan.allBuffers)).toEqual(closedForm(numbers(plan)));
    const { weights, gradients, optimizer, activations } = bytesByCategory(whole.allBuffers);
    expect(bytesByCategory(plan.allBuffers)).toMatchObject({ weights, gradients, optimizer, activations });
    expect(plan.buffers.blocks.get('embedding')!.weights.shards.length).toBeGreaterThanOrEqual(Math.ceil(shape.vocab / 64));
  }
});

test('a schedule that trains only high layers keeps nothing below them', () => {
  const shape = SHAPES['odd Llama, untied'];
  const config = runConfig(
    shape,
    METHODS.find(({ name }) => name === 'LISA γ=1, drawn layers only')!,
  );
  for (const lowest of [0, 1, 2, 3]) {
    const plan = runPlan(shape, config, { draws: [[3], [lowest]] });
    expect(plan.input.lowest).toBe(lowest);
    expect(bytesByCategory(plan.allBuffers)).toEqual(closedForm(numbers(plan)));
    for (let layer = 0; layer < lowest; layer++) expect(plan.buffers.saved[layer].size).toBe(0);
  }
});

test('what LISA saves against full: slots instead of layers, to the byte', () => {
  for (const name of SHAPE_NAMES) {
    const shape = SHAPES[name];
    const bytes = (method: string) =>
      forecast(
        shape,
        runConfig(
          shape,
          METHODS.find((m) => m.name === method)!,
        ),
      ).bytes;
    const [full, all, two, one] = ['full', 'LISA γ=L', 'LISA γ=2', 'LISA γ=1'].map(bytes);
    const layer = two.gradients - one.gradients;
    expect(full.gradients - two.gradients).toBe((shape.layers - 2) * layer);
    expect([all.gradients, all.optimizer]).toEqual([full.gradients, full.optimizer]);
    expect(full.optimizer).toBe(2 * full.gradients);
    expect(one.weights).toBe(full.weights);
  }
});
