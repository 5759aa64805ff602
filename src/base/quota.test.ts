import { expect, test } from 'vitest';
import { measuredQuota } from './quota';

test('the figure that Chrome makes up does not count as a measurement', () => {
  expect(measuredQuota({ usage: 73_900, quota: 73_900 + 10 * 2 ** 30 })).toBeNull();
  expect(measuredQuota({ usage: 5, quota: 5 + 2 ** 30 })).toBeNull();
  expect(measuredQuota({ usage: 5, quota: 2 ** 30 })).toBe(2 ** 30);
  expect(measuredQuota({ usage: 0, quota: 11 * 2 ** 30 })).toBe(11 * 2 ** 30);
  expect(measuredQuota({ usage: 7, quota: 7 })).toBe(7);
  expect(measuredQuota({ usage: 7 })).toBeNull();
  expect(measuredQuota({})).toBeNull();
});
