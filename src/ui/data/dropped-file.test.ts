import { expect, test } from 'vitest';
import { droppedFile } from './dropped-file';

const file = (name: string): File => new File(['x'], name);

test('the first data file of what was dropped', () => {
  const [image, rows] = [file('a.png'), file('rows.JSONL')];
  expect(droppedFile([image, rows], [])).toEqual({ file: rows });
  expect(droppedFile([file('folder.csv'), rows], ['folder.csv'])).toEqual({ file: rows });
});

test('what cannot be data says why', () => {
  expect(droppedFile([file('a.png')], [])).toMatchObject({
    problem: expect.stringContaining('a.png is not a supported file type') as string,
  });
  expect(droppedFile([file('a'), file('b')], ['a', 'b'])).toEqual({ problem: 'You dropped 2 folders. Drop the folder of one model.' });
  expect(droppedFile([], [])).toBeNull();
});

test('a folder, or weights with a config beside them, are a model', () => {
  expect(droppedFile([file('model')], ['model'])).toEqual({ folder: 'model' });
  const files = [file('config.json'), file('tokenizer.json'), file('model.safetensors')];
  expect(droppedFile(files, [])).toEqual({ model: files });
  expect(droppedFile([files[0], files[1]], [])).toEqual({ model: files.slice(0, 2) });
  expect(droppedFile([file('config.json')], [])).toMatchObject({ file: { name: 'config.json' } });
});
