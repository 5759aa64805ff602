import { expect, test } from 'vitest';
import { droppedFile } from './dropped-file';

const file = (name: string): File => new File(['x'], name);

test('the first data file of what was dropped', () => {
  const [image, rows] = [file('a.png'), file('rows.JSONL')];
  expect(droppedFile([image, rows], [])).toEqual({ file: rows });
  expect(droppedFile([file('folder.csv'), rows], ['folder.csv'])).toEqual({ file: rows });
});

test('what cannot be data says why', () => {
  expect(droppedFile([file('a.png')], [])).toMatchObject({ problem: expect.stringContaining('a.png is no data file') as string });
  expect(droppedFile([file('model')], ['model'])).toMatchObject({ problem: expect.stringContaining('folder') as string });
  expect(droppedFile([], [])).toBeNull();
});
