// What LISA saves, part by part, against arithmetic on the model's numbers.

import { describe, expect, test } from 'vitest';
import { METHODS, runConfig } from '../testing/plans';
import { SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { forecast } from './forecast';
import { savingBreakdown } from './saving';

const method = (name: string) => METHODS.find((m) => m.name === name)!;

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];

  test.each(['LISA γ=1', 'LISA γ=2', 'LISA γ=2, drawn layers only', 'LISA γ=2, head and norm only'])(
    '%s: the parts add up to the whole',
    (of) => {
      const config = runConfig(shape, method(of));
      const parts = savingBreakdown(shape, config);
      expect(parts.full).toBe(forecast(shape, { ...config, method: 'full' }).total);
      expect(parts.lisa).toBe(forecast(shape, config).total);
      expect(parts.sampling + parts.alwaysOn + parts.precision + parts.recomputation).toBe(parts.full - parts.lisa);
      // If weights are tied, the head is the embedding: with either on, only the sampling of layers is left to save memory.
      const frozen = of.endsWith('drawn layers only') || (of.endsWith('norm only') && !shape.tied);
      expect(parts.alwaysOn > 0).toBe(frozen);
      expect(parts.alwaysOn === 0).toBe(!frozen);
      // What sampling saves does not depend on the policy.
      const on = { embedding: true, head: true, norm: true };
      expect(parts.sampling).toBe(savingBreakdown(shape, { ...config, alwaysOn: on }).sampling);
    },
  );
});

test('a trained layer costs gradient, m and v, what its weight gradients keep, and little else', () => {
  const shape = SHAPES['SmolLM2-135M'];
  const config = runConfig(shape, method('LISA γ=2'));
  const { width: C, ff: F } = shape;
  const [Q, U] = [shape.heads * shape.headDim, shape.kvHeads * shape.headDim];
  const layer = C * (Q + 2 * U) + Q * C + 2 * C * F + F * C + 2 * C;
  const kept = config.batchSize * config.seqLen * (2 * C + F);
  const saved = (shape.layers - 2) * 4 * (3 * layer + kept);
  const { sampling, full } = savingBreakdown(shape, config);
  expect(Math.abs(sampling - saved) / full).toBeLessThan(1e-3);
});
