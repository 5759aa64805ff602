// What recomputation keeps, what it runs again, and what that does to the bytes and the work of a step.

import { describe, expect, test } from 'vitest';
import { sumBytes, bytesByCategory } from '../dispatch/memory';
import { dispatchesOf, METHODS, methodsByTurns, runConfig, runPlan } from '../testing/plans';
import { ODD_NAMES, SHAPES } from '../testing/shapes';
import { stepFlopsOf } from './forecast';
import { layerOps } from './layers';
import { valueWidths } from './ops/registry';
import { operationsAgain, recomputedValues } from './recompute';

const MODES = ['mlp', 'layer'] as const;

test('of a Llama layer, only what leads to the values that are read runs again', () => {
  const shape = SHAPES['odd Llama, tied'];
  const ops = layerOps(shape);
  const again = (mode: (typeof MODES)[number], ...reads: string[]): string[] =>
    operationsAgain(ops, shape, mode, new Set(reads)).map(({ kind, y }) => `${kind} ${y}`);
  // A frozen layer: norms, attention and SwiGLU want their inputs.
  const frozen = ['in', 'n1.rstd', 'qkv', 'attn', 'attn.lse', 'mid', 'n2.rstd', 'up'];
  expect(again('mlp', ...frozen)).toEqual(['norm n2', 'linear up']);
  const attention = ['norm n1', 'linear qkv', 'rope qkv', 'attention attn', 'linear mid'];
  expect(again('layer', ...frozen)).toEqual([...attention, 'norm n2', 'linear up']);
  // One that trains wants the input of its last product as well.
  expect(again('mlp', ...frozen, 'n1', 'n2', 'act')).toEqual(['norm n2', 'linear up', 'swiglu act']);
  expect(again('layer', 'n2.rstd')).toEqual([...attention, 'norm n2']);
  expect(operationsAgain(ops, shape, 'off', new Set(frozen))).toEqual([]);
  expect(recomputedValues(ops, shape, 'off').size).toBe(0);
});

describe.each(ODD_NAMES)('%s', (name) => {
  const shape = SHAPES[name];
  const rows = 4 * 64;

  test.each(methodsByTurns(ODD_NAMES.indexOf(name)))(
    '$name: each mode keeps fewer activations and costs more work, and nothing else changes',
    (method) => {
      const config = runConfig(shape, method, { batchSize: 4, seqLen: 64 });
      const plans = (['off', ...MODES] as const).map((recompute) => runPlan(shape, { ...config, recompute }));
      const [off, mlp, layer] = plans.map(({ allBuffers }) => bytesByCategory(allBuffers));
      const { activations: kept, inputs: _, ...rest } = off;
      for (const bytes of [mlp, layer]) expect(bytes).toMatchObject(rest);
      // Of the layers that keep anything, the pool of one takes the place. With one such layer there is nothing to gain.
      const keeping = plans[0].buffers.saved.filter((values) => values.size > 0).length;
      if (keeping > 2) expect([mlp.activations < kept, layer.activations < mlp.activations]).toEqual([true, true]);
      const [a, b, c] = (['off', ...MODES] as const).map((recompute) => stepFlopsOf(shape, { ...config, recompute }));
      expect([a < b, b < c]).toEqual([true, true]);
      expect(c / a).toBeLessThan(1.5);
    },
  );

  test('layers keep nothing but the residual stream where all of a layer is computed again', () => {
    const plan = runPlan(shape, { ...runConfig(shape, METHODS[2]), recompute: 'layer' });
    // A norm that makes the stream does not run again, so that its number of a row is kept.
    for (const values of plan.buffers.saved) expect([...values.keys()]).toEqual(shape.sandwich ? ['out.rstd'] : []);
    expect(plan.buffers.slots.every(({ saved }) => saved.size === 0)).toBe(true);
    const widest = [...valueWidths(layerOps(shape), shape).values()].reduce((most, width) => Math.max(most, width));
    const stream = (shape.layers + 1) * rows * shape.width * 4;
    const { activations } = bytesByCategory(
      runPlan(shape, { ...runConfig(shape, METHODS[2], { batchSize: 4, seqLen: 64 }), recompute: 'layer' }).allBuffers,
    );
    expect(activations - stream).toBeLessThan(10 * rows * widest * 4);
  });
});

test('SmolLM2-135M, T = 512: what each mode saves of a LISA run, and its price', () => {
  const shape = SHAPES['SmolLM2-135M'];
  const config = runConfig(shape, METHODS[2], { batchSize: 1, seqLen: 512, sampleTokens: 64 });
  const of = (recompute: 'off' | (typeof MODES)[number]) => {
    const plan = runPlan(shape, { ...config, recompute });
    return { bytes: sumBytes(bytesByCategory(plan.allBuffers)), flops: stepFlopsOf(shape, { ...config, recompute }), plan };
  };
  const off = of('off');
  const told = MODES.map((mode) => {
    const { bytes, flops } = of(mode);
    return { mode, saved: Math.round((off.bytes - bytes) / 1e6), price: flops / off.flops };
  });
  console.info(
    'recomputation:',
    told.map(({ mode, saved, price }) => `${mode} saves ${saved} MB for ${price.toFixed(3)} × the work`).join('; '),
  );
  expect(told[1].saved).toBeGreaterThan(told[0].saved);
  expect(told[1].price).toBeLessThan(1.35);
  expect(dispatchesOf(of('layer').plan.step(new Map([[3, 0]])).backward).some(({ label }) => label === 'layer.3/qkv again')).toBe(true);
});
