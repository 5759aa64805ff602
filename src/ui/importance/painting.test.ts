import { expect, it } from 'vitest';
import { changed, evenWeights, isPaintable, MOST_WEIGHT, rowAt, valueAt } from './painting';

it('paints the row and the weight under the pointer, and stays within the bars', () => {
  expect([-5, 0, 19, 20, 79, 500].map((y) => rowAt(y, 80, 4))).toEqual([0, 0, 0, 1, 3, 3]);
  expect([-5, 0, 50, 100, 900].map((x) => valueAt(x, 100))).toEqual([0, 0, 5, MOST_WEIGHT, MOST_WEIGHT]);
  expect(changed([5, 5], 1, 5)).toBeNull();
  expect(changed([5, 5], 1, 0)).toEqual([5, 0]);
});

it('paints on weights that bars can show', () => {
  expect(isPaintable(evenWeights(3), 3)).toBe(true);
  for (const weights of [null, [1, 2], [1, 2, 2.5], [1, 2, 11], [1, 2, -1]]) expect(isPaintable(weights, 3)).toBe(false);
});
