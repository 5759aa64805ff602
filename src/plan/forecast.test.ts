// The explanations of a forecast: formulas that add up to the bytes, and limits that are reported before the validator refuses.

import { describe, expect, it } from 'vitest';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import { DEFAULT_LIMITS, type DeviceLimits } from '../dispatch/limits';
import { parseModelConfig } from '../model/config';
import { PUBLIC_CONFIGS } from '../model/public-configs';
import { METHODS, methodsByTurns, runConfig, runPlan } from '../testing/plans';
import { SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { forecast } from './forecast';
import { termBytes, type FormulaTerm } from './forecast-formula';
import { limitError, limitFault } from './forecast-limits';
import { planInput } from './input';
import { bytesByCategory } from '../dispatch/memory';
import { RunPlan } from './run-plan';
import { planFaults } from '../dispatch/validate';

const text = ({ counts, bytes, what }: FormulaTerm): string =>
  [...counts.map(({ count, unit }) => `${count} ${unit}`), `${bytes} B (${what})`].join(' × ');

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];

  const methods = methodsByTurns(SHAPE_NAMES.indexOf(name));

  it.each(methods)('$name: every formula adds up to its bytes, and says nearly all of them by its numbers', (method) => {
    for (const [batchSize, seqLen] of [
      [2, 19],
      [1, 1],
      [3, 64],
    ]) {
      const { parts } = forecast(shape, runConfig(shape, method, { batchSize, seqLen }));
      for (const { id, bytes, formula } of parts) {
        const sum = formula.reduce((total, term) => total + termBytes(term), 0);
        expect(sum, `${id}: ${formula.map(text).join(' + ')}`).toBe(bytes);
        expect(formula.every((term) => termBytes(term) > 0)).toBe(true);
        // Padding: below 256 B a tensor, of which no block here has more than 20.
        const padding = formula.filter(({ what }) => what.startsWith('start of every'));
        expect(padding.length).toBeLessThanOrEqual(1);
        for (const pad of padding) expect(termBytes(pad)).toBeLessThan(256 * 20 * 3 * (shape.layers + 3));
      }
    }
  });

  it.each(methods)('$name: a limit is told before the start exactly where the validator refuses', (method) => {
    const config = runConfig(shape, method, { batchSize: 2, seqLen: 19 });
    const plan = runPlan(shape, config);
    const shown = forecast(shape, config);
    const { buffer, binding } = shown.largest;
    const cases: Partial<DeviceLimits>[] = [
      {},
      { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 32 },
      { maxBufferSize: buffer.bytes },
      { maxBufferSize: buffer.bytes - 1 },
      { maxStorageBufferBindingSize: binding.bytes },
      { maxStorageBufferBindingSize: binding.bytes - 1 },
    ];
    for (const change of cases) {
      const limits = { ...DEFAULT_LIMITS, ...change };
      const refused = planFaults(plan.allBuffers, plan.builtSegments(), plan.capacity, limits);
      expect(limitFault(shown, limits) === null, JSON.stringify(change)).toBe(refused.length === 0);
    }
  });
});

describe('many chunks of the head', () => {
  it.each([
    ['smollm2-135m', 'lisa', 8],
    ['smollm2-135m', 'full', 8],
    ['qwen2.5-0.5b', 'lora', 4],
    ['gpt2-124m', 'lisa', 8],
  ] as const)('are not all built for a forecast of %s, %s, and it is that of the plan', (name, method, batchSize) => {
    const shape = parseModelConfig(PUBLIC_CONFIGS[name], name);
    const config: RunConfig = { ...DEFAULTS, method, batchSize, seqLen: 511 };
    const plan = new RunPlan(planInput(shape, config));
    expect((batchSize * 511) / plan.buffers.chunkRows).toBeGreaterThan(4);
    const told = forecast(shape, config);
    expect(told.bytes).toEqual(bytesByCategory(plan.allBuffers));
    const views = plan.builtSegments().flatMap(({ dispatches }) => dispatches.flatMap((dispatch) => dispatch.views));
    expect(told.largest.binding.bytes).toBe(Math.max(...views.map(({ bytes }) => bytes)));
    expect(told.largest.buffer.bytes).toBe(Math.max(...plan.allBuffers.map(({ bytes }) => bytes)));
    const abridged = new RunPlan({ ...planInput(shape, config), abridged: true });
    expect(abridged.builtSegments().length).toBeLessThan(plan.builtSegments().length);
    expect(() => abridged.evaluation(abridged.capacity)).toThrow(/abridged/);
  });
});

it('the optimizer state of LISA reads as γ layers of parameters', () => {
  const shape = SHAPES['GPT-2 124M'];
  const { parts } = forecast(
    shape,
    runConfig(
      shape,
      METHODS.find(({ name }) => name === 'LISA γ=2')!,
    ),
  );
  const [first] = parts.find(({ id }) => id === 'layers-optimizer')!.formula;
  // 12 · 768² + 13 · 768 parameters of a layer of GPT-2.
  expect(text(first)).toBe('2 layer × 7087872 parameter × 8 B (m and v)');
});

it('a vocabulary of any size is in buffers of its own; of a layer it says which matrix does not fit, and how much of it', () => {
  const vocab = { ...SHAPES['GPT-2 124M'], vocab: 1_000_003 };
  const small = { batchSize: 1, seqLen: 16 };
  expect(limitFault(forecast(vocab, runConfig(vocab, METHODS[2], small)), DEFAULT_LIMITS)).toBeNull();
  // Gate and up are one matrix, and a layer of these is in four buffers.
  const wide = { ...SHAPES['SmolLM2-135M'], width: 4096, ff: 14_336, heads: 32, kvHeads: 8, headDim: 128, layers: 2 };
  const fault = limitFault(forecast(wide, runConfig(wide, METHODS[2], small)), DEFAULT_LIMITS);
  expect(fault).toMatchObject({ what: "its layer 0's gate_up", kind: 'buffer', limit: 268_435_456, bytes: 2 * 14_336 * 4096 * 4 });
  expect(limitError(fault!, (bytes) => `${bytes} B`)).toMatchObject({
    code: 'LIMIT_TOO_SMALL',
    detail:
      "The model does not fit this device: its layer 0's gate_up needs one buffer of 469762048 B, and this device allows 268435456 B.",
  });
  // A device that has room for the matrix has room for the rest.
  expect(
    limitFault(forecast(wide, runConfig(wide, METHODS[2], small)), {
      ...DEFAULT_LIMITS,
      maxBufferSize: 2 ** 29,
      maxStorageBufferBindingSize: 2 ** 29,
    }),
  ).toBeNull();
});
