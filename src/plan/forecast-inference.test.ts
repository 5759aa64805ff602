// The plan of a model that only answers has nothing to train with, is valid under WebGPU's rules, and takes the bytes that arithmetic
// gives.

import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { METHODS, runConfig, dispatchesOf } from '../testing/plans';
import { SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { forecast } from './forecast';
import { inferenceForecast } from './forecast-inference';
import { inferenceInput, planInput } from './input';
import { layerOps } from './layers';
import { valueWidths } from './ops/registry';
import { RunPlan } from './run-plan';
import { assertPlan } from '../dispatch/validate';

const up = (value: number, step: number): number => Math.ceil(value / step) * step;

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];
  const [full] = METHODS;
  const config = runConfig(shape, full);
  const plan = new RunPlan(inferenceInput(planInput(shape, config)));

  test('bytes by category', () => {
    const run = forecast(shape, config).bytes;
    const { activations, total: _, ...bytes } = inferenceForecast(shape, config);
    // runConfig: 2 × 19 tokens a batch, a cache of 19 + 11 tokens.
    const tokens = 30;
    const structs = new Set(dispatchesOf(plan.generation()).map(({ params }) => String.fromCharCode(...params))).size;
    const arrays = shape.rope ? 1 : 2;
    const rope = shape.rope ? (shape.window?.rope ? 4 : 2) * up(4 * tokens * (shape.headDim / 2), 16) : 0;
    expect(bytes).toEqual({
      weights: run.weights,
      masters: 0,
      gradients: 0,
      optimizer: 0,
      workspace: up(4 * shape.vocab, 16),
      inputs: 32 + arrays * up(4 * tokens, 256) + 256 + rope + 256 * structs,
      cache: 2 * shape.layers * up(4 * tokens * shape.kvHeads * shape.headDim, 16),
      staging: run.staging - 2 * 32,
    });
    // The residual stream, and short-lived values of one layer: at most everything that an op list of one layer names.
    const values = [...valueWidths(layerOps(shape), shape).values()].reduce((sum, width) => sum + up(4 * tokens * width, 16), 0);
    expect(activations).toBeGreaterThan(4 * tokens * shape.width);
    expect(activations).toBeLessThanOrEqual(4 * tokens * shape.width + values + 1024);
    expect(activations).toBeLessThan(run.activations);
  });

  test('is valid, and binds nothing that is not there', () => {
    expect(() =>
      assertPlan(plan.allBuffers, plan.generation(), plan.capacity, { ...DEFAULT_LIMITS, maxBufferSize: 2 ** 31 }),
    ).not.toThrow();
    const there = new Set(plan.allBuffers);
    for (const { label, views } of dispatchesOf(plan.generation()))
      for (const { buffer } of views) expect(there.has(buffer), `${buffer.name} in ${label}`).toBe(true);
  });

  test('is the same whatever the run trained', () => {
    for (const method of METHODS) expect(inferenceForecast(shape, runConfig(shape, method))).toEqual(inferenceForecast(shape, config));
  });

  test('has no steps and no evaluation', () => {
    expect(() => plan.step(new Map([[0, 0]]))).toThrow('no steps');
    expect(() => plan.evaluation(plan.capacity)).toThrow('no evaluation');
  });
});
