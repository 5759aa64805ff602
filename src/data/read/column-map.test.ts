import { expect, test } from 'vitest';
import { configFaults, DEFAULTS } from '../../config/run-config';
import { columnsProblem, rolesOf, SHAPE_NAMES, shapeOfColumns, COLUMN_ROLES, type ColumnMap } from './column-map';

test('every known field belongs to exactly one shape', () => {
  expect(SHAPE_NAMES.flatMap(rolesOf).toSorted()).toEqual([...COLUMN_ROLES].toSorted());
});

test('a map has the shape of its fields, and no other', () => {
  expect(shapeOfColumns({ prompt: 'q', completion: 'a' })).toBe('prompt_completion');
  expect(shapeOfColumns({ completion: 'a' })).toBe('prompt_completion');
  expect(shapeOfColumns({ input: 'x' })).toBe('instruction');
  expect(shapeOfColumns({})).toBeNull();
  expect(shapeOfColumns({ prompt: 'q', text: 't' })).toBeNull();
});

test.each<[ColumnMap, RegExp]>([
  [{}, /No column/],
  [{ prompt: ' ' }, /prompt has no name/],
  [{ prompt: 'q', output: 'a' }, /prompt and output are not fields of one kind/],
])('%j is a fault of the settings', (columns, problem) => {
  expect(columnsProblem(columns)).toMatch(problem);
  expect(configFaults({ ...DEFAULTS, columns })).toMatchObject([{ key: 'columns', problem: expect.stringMatching(problem) as string }]);
});

test('a map that names one shape is none', () => {
  expect(configFaults({ ...DEFAULTS, columns: { prompt: 'question', completion: 'answer' } })).toEqual([]);
  expect(configFaults(DEFAULTS)).toEqual([]);
});
