import { expect, test } from 'vitest';
import { amount, type Extents } from '../../dispatch/extents';
import { FLAT_SIZE, flatLaunch, rowAmount } from './rowwise';

const extents: Extents = { rows: 5, targets: 3, tokenGroups: 0, positionGroups: 0, pairs: 0 };

test('work follows the live rows; a chunk of several, and a launch without them, counts all of its rows', () => {
  const of = (live: Parameters<typeof rowAmount>[1]): number => amount(rowAmount(8, live, 10, 7), extents);
  expect(of({ extent: 'rows' })).toBe(5 * 10 + 7);
  expect(of({ extent: 'targets' })).toBe(3 * 10 + 7);
  expect(of({ extent: 'targets', row0: 0 })).toBe(8 * 10 + 7);
  expect(of(undefined)).toBe(8 * 10 + 7);
});

test.each([
  [1, 1],
  [7, 9],
  [1000, 4194],
  [65_536, 4096],
])('a launch over %i rows of %i items reaches all of them, and needs no more workgroups than a dimension has', (rows, perRow) => {
  const { grid, repeat } = flatLaunch(rows, undefined, perRow);
  const [groups] = grid as readonly number[];
  expect(groups).toBeLessThanOrEqual(65_535);
  expect(groups * repeat * FLAT_SIZE).toBeGreaterThanOrEqual(rows * perRow);
  expect((groups - 1) * repeat * FLAT_SIZE).toBeLessThan(rows * perRow);
});
