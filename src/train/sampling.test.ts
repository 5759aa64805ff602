import { expect, test } from 'vitest';
import { isSampleStep } from './sampling';

test('samples between the ends come at ten times the powers of two', () => {
  const steps = Array.from({ length: 2001 }, (_, step) => step).filter(isSampleStep);
  expect(steps).toEqual([10, 20, 40, 80, 160, 320, 640, 1280]);
  expect(isSampleStep(10 * 2 ** 16)).toBe(true);
  expect(isSampleStep(10 * 2 ** 16 + 10)).toBe(false);
});
