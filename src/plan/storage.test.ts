// How much memory packed weights save in the forecast.

import { afterAll, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { TINY, TINY_NAMES, tinyConfig } from '../testing/tiny';
import { forecast } from './forecast';

const OFF = { embedding: false, head: false, norm: false };
const kept = new Map<string, number>();
afterAll(() => console.info('bytes of weights and masters, stored against f32:', Object.fromEntries(kept)));

test.each(TINY_NAMES)('%s: what is packed saves half, masters are γ layers, γ = L stays f32', (name) => {
  const shape = TINY[name];
  const of = (weightStorage: RunConfig['weightStorage'], changes: Partial<RunConfig>) =>
    forecast(shape, tinyConfig({ alwaysOn: OFF, ...changes, weightStorage }), 'bf16').bytes;
  for (const lisaLayers of [1, shape.layers]) {
    const [wide, packed] = [of('f32', { lisaLayers }), of('stored', { lisaLayers })];
    kept.set(`${name}, γ = ${lisaLayers}`, (packed.weights + packed.masters) / wide.weights);
    if (lisaLayers === shape.layers) {
      // Layers stay f32; embedding and head never train.
      expect(packed.masters).toBe(0);
    } else {
      expect(packed.masters).toBe(packed.gradients);
    }
  }
  expect(of('stored', { method: 'full' })).toEqual(of('f32', { method: 'full' }));
  expect(of('stored', { method: 'lora' }).masters).toBe(0);
});
