import { expect, test } from 'vitest';
import { weightsOf } from './weights';

test('weights are those of tools/oracle/big_shapes.py, wherever a piece begins', () => {
  const rule = { seed: 7, centre: 1, spread: 0.0625 };
  // Printed by weights_of([3], 7, 1, 0.0625, torch.float64) and weights_of([40_000_000], 290, 0, 0.03125, torch.float64)[-2:].
  expect([...weightsOf(rule, 0, 3)]).toEqual([0.9848400950431824, 0.9552644491195679, 1.0105438232421875]);
  expect([...weightsOf({ seed: 290, centre: 0, spread: 0.03125 }, 39_999_998, 40_000_000)]).toEqual([
    -0.02431752160191536, 0.0064272587187588215,
  ]);
  expect([...weightsOf(rule, 2, 3)]).toEqual([1.0105438232421875]);
});
