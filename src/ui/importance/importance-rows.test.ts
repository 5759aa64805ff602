import { expect, it } from 'vitest';
import { importanceProfile } from '../../testing/importance';
import { importanceSentence, rowsOfProfile, rowsOfRun, rowsOfWeights } from './importance-rows';

it('bars are as long as the weights are large, and norms stand beside them', () => {
  const { heads, rows } = rowsOfProfile(importanceProfile());
  expect(heads).toEqual(['‖BA‖', '‖W₀‖']);
  expect(rows).toEqual([
    { layer: 0, weight: 0.5, share: 1, cells: ['2', '4'] },
    { layer: 1, weight: 0.1, share: 0.2, cells: ['0.5', '5'] },
    { layer: 2, weight: 0.4, share: 0.8, cells: ['2', '4'] },
  ]);
});

it('weights are told as shares of their sum', () => {
  expect(rowsOfWeights([3, 1]).rows.map(({ weight }) => weight)).toEqual([0.75, 0.25]);
  expect(rowsOfProfile(importanceProfile({ norms: null, weights: [1, 1, 2] })).heads).toEqual([]);
});

it('says which layers stand out', () => {
  expect(importanceSentence(rowsOfWeights([1, 3, 4]))).toBe('Layer 2 has the largest weight, 0.500; layer 0 the smallest, 0.125.');
  expect(importanceSentence(rowsOfWeights([1, 1]))).toBe('All layers have the same weight.');
});

it('in a run, says how often layers were drawn and were to be expected, or how p has changed', () => {
  const periods = [{ layers: [0, 2] }, { layers: [2] }];
  const facts = { weights: [0.5, 0.1, 0.4], expected: [0.9, 0.3, 0.8] };
  const fixed = rowsOfRun(facts, periods, []);
  expect(fixed.heads).toEqual(['drawn', 'expected']);
  expect(fixed.rows.map(({ cells }) => cells)).toEqual([
    ['1', '1.8'],
    ['0', '0.6'],
    ['2', '1.6'],
  ]);
  const history = [
    { period: 0, weights: [0.25, 0.25, 0.5] },
    { period: 1, weights: [0.3, 0.2, 0.5] },
  ];
  const { rows } = rowsOfRun(facts, periods, history);
  expect(rows.map(({ weight }) => weight)).toEqual([0.3, 0.2, 0.5]);
  expect(rows[0].trend).toEqual([0.5, 0.6]);
});
