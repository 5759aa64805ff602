import { expect, it } from 'vitest';
import { fromGradientNorms, fromNormRatios, meanByLayer, normalise, withFloor } from './importance';

const invalid: unknown = expect.objectContaining({ code: 'CONFIG_INVALID' });

it('normalises, huge and tiny weights too, and refuses what cannot be a weight', () => {
  expect(normalise([1, 3])).toEqual([0.25, 0.75]);
  expect(normalise([1e308, 1e308])).toEqual([0.5, 0.5]);
  expect(normalise([5e-324, 5e-324])).toEqual([0.5, 0.5]);
  for (const weights of [[0, 0], [1, -1], [1, NaN], [1, Infinity], []]) expect(() => normalise(weights)).toThrowError(invalid);
});

it('lifts weights to the floor and keeps the ratios of the others', () => {
  const p = withFloor([0, 1, 3], 0.3);
  // 0.1 against 0.25 and 0.75, then divided by their sum.
  expect(p[0]).toBeCloseTo(0.1 / 1.1, 12);
  expect(p[2] / p[1]).toBeCloseTo(3, 12);
  expect(p[0] + p[1] + p[2]).toBeCloseTo(1, 12);
  expect(withFloor([1, 2, 5])).toEqual(normalise([1, 2, 5]));
});

it("follows the paper's ratio of mean weight norms", () => {
  expect(fromNormRatios([2, 3], [2, 1])).toEqual([0.25, 0.75]);
  expect(() => fromNormRatios([1, 2], [1])).toThrowError(invalid);
  expect(() => fromNormRatios([1, 2], [1, 0])).toThrowError(invalid);
});

it('follows gradient norms; a layer not measured yet counts as the mean', () => {
  expect(fromGradientNorms([1, 3])).toEqual([0.25, 0.75]);
  expect(fromGradientNorms([1, null, 3])).toEqual([1 / 6, 2 / 6, 3 / 6]);
  expect(fromGradientNorms([null, null])).toEqual([0.5, 0.5]);
});

it('averages over the steps in which a layer was measured', () => {
  expect(
    meanByLayer([
      [1, null, null],
      [3, 5, null],
    ]),
  ).toEqual([2, 5, null]);
  expect(meanByLayer([])).toEqual([]);
});
