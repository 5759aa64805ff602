import { expect, test } from 'vitest';
import { namedRows } from './row-labels';

const rowsOf = (layers: number) =>
  [null, null, ...Array.from({ length: layers }, (_, i) => layers - 1 - i), null].map((layer) => ({ layer }));

test('every row of a small stack has its name', () => {
  expect(namedRows(rowsOf(8), 16)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test.each([
  [30, 9],
  [30, 8],
  [24, 11],
  [80, 7],
])('%i layers in rows of %i px: no name on another, the ends have theirs', (layers, cell) => {
  const rows = rowsOf(layers);
  const named = namedRows(rows, cell);
  expect(named.length).toBeGreaterThan(4);
  expect([named[0], named.at(-1)]).toEqual([0, rows.length - 1]);
  named.slice(1).forEach((row, i) => expect((row - named[i]) * cell).toBeGreaterThanOrEqual(11));
});
